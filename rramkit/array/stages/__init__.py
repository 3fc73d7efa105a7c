"""Stages of a read: row driver, read noise, telegraph noise, multiplexer, clamp, ADC; one file each."""

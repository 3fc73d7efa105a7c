"""Stages of a read: row driver, noise, line switch, clamp, readout, ADC, word line; one file each."""

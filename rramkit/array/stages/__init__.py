"""The stages of a read between the numbers that go into an array and those that come out."""

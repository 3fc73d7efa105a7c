"""Data sets: digits, MNIST, Fashion-MNIST, CIFAR-10, and a user's own."""

from rramkit.learning.data.dataset import DataSet, as_numbers, augmented, digits, stratified
from rramkit.learning.data.settings import DataSettings

__all__ = ["DataSet", "DataSettings", "as_numbers", "augmented", "digits", "stratified"]

"""Settings of the data set, TOML group `data`."""

import os
from pathlib import Path
from typing import Literal

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.data import cifar, idx
from rramkit.learning.data.dataset import DataSet, digits
from rramkit.learning.data.own import own
from rramkit.parameters import Parameters, quantity

FOLDER_VARIABLE = "RRAMKIT_DATA"


class DataSettings(Parameters):
    """Which data set, where its files are, and how inputs are prepared."""

    name: Literal["digits", "mnist", "fashion_mnist", "cifar10", "npz"] = quantity("digits", "1", "which data set")
    folder: str = quantity("", "1", f"folder of its files; empty: the variable {FOLDER_VARIABLE}, or ~/.cache/rramkit")
    file: str = quantity("", "1", "`.npz` file of one's own data")
    download: bool = quantity(False, "1", "whether missing files are downloaded from the set's page")
    train_images: int = quantity(0, "1", "training inputs, drawn at random; 0: all", ge=0, le=10_000_000)
    test_images: int = quantity(0, "1", "test inputs, drawn at random; 0: all", ge=0, le=10_000_000)
    validation: float = quantity(
        0.1,
        "1",
        "part of each class of the training inputs that chooses settings and is not trained on",
        ge=0.0,
        le=0.9,
    )
    standardise: bool = quantity(
        False, "1", "whether inputs are scaled to mean 0 and standard deviation 1 (each channel)"
    )
    augment: bool = quantity(False, "1", "whether training images are mirrored and shifted at random")
    fluctuation: float = quantity(
        0.0,
        "1",
        "error of the logarithm of each number of a validation or test input: standard deviation",
        ge=0.0,
        le=3.0,
    )

    def loaded(self, *, seed: int) -> DataSet:
        """Read the data set; `seed` is of the splits, where the set has none, and of the inputs drawn from it.

        Raises
        ------
        InputError, SetupError
            When files are missing, damaged or cannot be downloaded.
        """
        data = self._whole(seed)
        if self.augment and len(data.shape) != 3:
            raise InputError(f"`data.augment` is for images (C, H, W); got inputs of {data.shape}. Set it to false.")
        if self.train_images or self.test_images:
            data = data.shortened(self.train_images, self.test_images, rng=np.random.default_rng(seed))
        data = data.with_validation(self.validation, seed=seed)
        data = data.standardised() if self.standardise else data
        return data.fluctuating(self.fluctuation, seed=seed) if self.fluctuation else data

    def _whole(self, seed: int) -> DataSet:
        if self.name == "digits":
            return digits(seed=seed)
        if self.name == "npz":
            return own(Path(self.file).expanduser(), seed=seed)
        if self.name == "cifar10":
            return cifar.load(self._folder(), download=self.download)
        which = idx.MNIST if self.name == "mnist" else idx.FASHION_MNIST
        return idx.load(which, self._folder(), download=self.download)

    def _folder(self) -> Path:
        return Path(self.folder or os.environ.get(FOLDER_VARIABLE) or "~/.cache/rramkit").expanduser()

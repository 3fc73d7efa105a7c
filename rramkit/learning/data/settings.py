"""Settings of the data set, TOML group `data`."""

import os
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.errors import InputError
from rramkit.learning.data import cifar, idx
from rramkit.learning.data.dataset import DataSet, digits
from rramkit.learning.data.functions import FunctionData, as_digits, function
from rramkit.learning.data.own import digest_of, npz_arrays, own
from rramkit.parameters import Parameters, quantity

FOLDER_VARIABLE = "RRAMKIT_DATA"
_TRAIN, _TEST = 2000, 1000  # inputs of a function


class DataSettings(Parameters):
    """Which data set, where its files are, and how inputs are prepared."""

    unsaid: ClassVar[tuple[str, ...]] = ("function", "bits", "row_bits")

    name: Literal["digits", "mnist", "fashion_mnist", "cifar10", "npz", "function"] = quantity(
        "digits", "1", "which data set"
    )
    function: FunctionData = quantity("exp", "1", "which function the data set `function` is of")
    folder: str = quantity("", "1", f"folder of its files; empty: the variable {FOLDER_VARIABLE}, or ~/.cache/rramkit")
    file: str = quantity("", "1", "`.npz` file of one's own data")
    download: bool = quantity(False, "1", "whether missing files are downloaded from the set's page")
    train_images: int = quantity(
        0, "1", "training inputs, drawn at random; 0: all, of a function 2,000", ge=0, le=10_000_000
    )
    test_images: int = quantity(
        0, "1", "test inputs, drawn at random; 0: all, of a function 1,000", ge=0, le=10_000_000
    )
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
    bits: int = quantity(
        0, "1", "bits of an input from 0 to 1, shared out to rows of `row_bits`; 0: one row, any number", ge=0, le=24
    )
    row_bits: int = quantity(1, "1", "bits of an input on one row, where it has `bits`", ge=1, le=16)

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if "function" in self.model_fields_set and self.name != "function":
            raise ValueError(f"function is of the data set `function`; got name = {self.name}. Leave it out")
        if "row_bits" in self.model_fields_set and not self.bits:
            raise ValueError("row_bits needs `bits`, the bits of an input; got none. Set it, or leave row_bits out")
        if self.row_bits > max(self.bits, 1):
            raise ValueError(f"row_bits must be at most bits = {self.bits}; got {self.row_bits}. Lower it")
        return self

    def loaded(self, *, seed: int) -> DataSet:
        """Read the data set; `seed` is of the splits, where the set has none, and of the inputs drawn from it.

        Raises
        ------
        InputError, SetupError
            When files are missing, damaged or cannot be downloaded.
        """
        data = self._whole(seed)
        return self.prepared(data, seed=seed, drawn=self.name == "function")

    def prepared(self, data: DataSet, *, seed: int, drawn: bool = False) -> DataSet:
        """Return data as they are trained on: a part of them (not of `drawn` ones), validation inputs, digits, scaled.

        Raises
        ------
        InputError
            When inputs are not what a setting is for.
        """
        if self.augment and len(data.shape) != 3:
            raise InputError(f"`data.augment` is for images (C, H, W); got inputs of {data.shape}. Set it to false.")
        if not drawn and (self.train_images or self.test_images):
            data = data.shortened(self.train_images, self.test_images, rng=np.random.default_rng(seed))
        data = data.with_validation(self.validation, seed=seed)
        data = self._in_digits(data) if self.bits else data
        data = data.standardised() if self.standardise else data
        data = data.fluctuating(self.fluctuation, seed=seed) if self.fluctuation else data
        return replace(data, prepared=self.preparing)

    def file_digest(self) -> str:
        """Return the hash of the user's own file as it is now; empty: the data set is of no such file.

        Raises
        ------
        InputError
            When the file cannot be read.
        """
        return digest_of(npz_arrays(Path(self.file).expanduser())) if self.name == "npz" else ""

    @property
    def preparing(self) -> tuple[tuple[str, float], ...]:
        """Settings that are on and change inputs or leave some out, and their values."""
        names = (
            "train_images",
            "test_images",
            "bits",
            *(["row_bits"] if self.bits else []),
            "standardise",
            "fluctuation",
        )
        return tuple((name, getattr(self, name)) for name in names if getattr(self, name))

    def _in_digits(self, data: DataSet) -> DataSet:
        parts = ("x_train", "x_test", *(["x_validation"] if len(data.y_validation) else []))
        digits_of = {part: as_digits(getattr(data, part), bits=self.bits, row_bits=self.row_bits) for part in parts}
        return replace(data, **digits_of)

    def _whole(self, seed: int) -> DataSet:
        if self.name == "digits":
            return digits(seed=seed)
        if self.name == "function":
            counts = (self.train_images or _TRAIN, self.test_images or _TEST)
            return function(self.function, train=counts[0], test=counts[1], seed=seed)
        if self.name == "npz":
            return own(Path(self.file).expanduser(), seed=seed, standardised=self.standardise)
        if self.name == "cifar10":
            return cifar.load(self._folder(), download=self.download)
        which = idx.MNIST if self.name == "mnist" else idx.FASHION_MNIST
        return idx.load(which, self._folder(), download=self.download)

    def _folder(self) -> Path:
        return Path(self.folder or os.environ.get(FOLDER_VARIABLE) or "~/.cache/rramkit").expanduser()

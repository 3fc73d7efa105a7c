"""The table file for others: xarray opens every group of it with its coordinates, plain h5py says units and ranges."""

import h5py
import numpy as np
import pytest
from fixtures.synthetic_tables import full_file, full_table

from rramkit import hdf5, table

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")


@pytest.fixture
def path(tmp_path):
    table.save(full_file(), tmp_path / "t.h5")
    return tmp_path / "t.h5"


def test_xarray_opens_every_group_with_its_coordinates(path):
    with h5py.File(path) as file:
        groups = ["/"]
        file.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
    assert len(groups) > 12
    for group in groups:
        with xarray.open_dataset(path, engine="h5netcdf", group=group) as found:
            assert not any(str(name).startswith("phony") for name in found.sizes)
    with xarray.open_dataset(path, engine="h5netcdf", group="set") as found:
        assert found.delta_g.dims == ("g_start", "v_pulse")
        assert found.delta_g.attrs["units"] == "S"
        assert found.delta_g.attrs["step_error"] == 3e-8
        assert list(found.v_pulse.attrs["valid_range"]) == [0.9, 1.5]
        np.testing.assert_array_equal(found.delta_g.values, full_table().signals["delta_g"].values)
        near = found.energy.sel(g_start=2e-5, v_pulse=1.0, method="nearest")
        assert near.dims == ()
    with xarray.open_dataset(path, engine="h5netcdf", group="set/held_out/delta_g") as found:
        assert set(found.data_vars) == {"spice", "fit", "g_start", "v_pulse"}
        assert found.spice.dims == ("point",)


def test_the_whole_file_is_one_tree_whose_parts_share_the_axes(path):
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        assert tree["set/distribution/cycles"].to_dataset().quantiles.dims == ("g_start", "v_pulse", "level")
        median = tree["set/distribution/cycles"].to_dataset().quantiles.sel(level=0.5)
        assert "g_start" in median.coords  # inherited from the group above
        assert tree["set"].delta_g.sel(g_start=2e-5, v_pulse=1.2, method="nearest").dims == ()  # as the docs say
        assert tree["set/mask"].to_dataset().delta_g.attrs["reasons"] == ["no convergence", "crash"]
        assert tree["strongarm"].to_dataset().corner.attrs["labels"] == ["tt", "ff", "ss"]


def test_plain_h5py_reads_texts_as_texts(path):
    with h5py.File(path) as file:
        assert file.attrs["format"] == "rramkit tables"
        assert hdf5.dataset(file, "set/delta_g").attrs["units"] == "S"
        assert [scale.label for scale in hdf5.dataset(file, "set/delta_g").dims] == ["", ""]
        assert hdf5.words(hdf5.dataset(file, "strongarm/corner"), "labels") == ["tt", "ff", "ss"]

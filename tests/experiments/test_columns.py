"""Data sets and their generators, as a user names them."""

import pytest

from squeezespan.errors import UserError
from squeezespan.experiments.columns import Column, columns_from


def test_data_sets_are_called_what_a_reader_would_call_them() -> None:
    data = ["cifar10:data", "folder:some/stl10/", "many=wds:shards/{0..9}.tar", "hf:who/flowers"]
    columns = columns_from(data, ["a", "b", "c", "d"])
    assert [column.name for column in columns] == ["cifar10", "stl10", "many", "flowers"]
    assert columns[2] == Column("many", "wds:shards/{0..9}.tar", "c", "c")


def test_images_are_known_by_their_place_whatever_a_table_calls_them() -> None:
    young, old = columns_from(["young=folder:some/cifar10", "old=folder:some/cifar10"], ["g", "h"])
    assert (young.name, old.name) == ("young", "old")
    assert young.images == old.images == "cifar10"


def test_one_generator_serves_all_data_sets() -> None:
    assert [column.gan for column in columns_from(["cifar10:a", "stl10:b"], ["g"])] == ["g", "g"]


@pytest.mark.parametrize(
    ("data", "gans", "message"),
    [
        (["cifar10:a", "stl10:b", "folder:c"], ["g", "h"], "2 generators for the 3 data sets"),
        (["folder:a/x", "folder:b/x"], ["g"], "two data sets called x"),
        (["a b=folder:x"], ["g"], "'a b' is no name"),
        ([], ["g"], "names no images"),
    ],
)
def test_what_does_not_pair_is_refused(data: list[str], gans: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        columns_from(data, gans)


def test_a_discriminator_is_in_the_generators_file_unless_another_is_named() -> None:
    assert columns_from(["cifar10:a"], ["g.pkl"])[0].discriminator == "g.pkl"
    assert columns_from(["cifar10:a"], ["builtin:stylegan2-cifar10"])[0].discriminator is None
    assert columns_from(["cifar10:a"], ["g.pkl"], ["d.pkl"])[0].discriminator == "d.pkl"

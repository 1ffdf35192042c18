"""What the demo's methods have in common."""

from squeezespan.config import validate
from squeezespan.demo.rows import ROWS, Sizes, demo_config
from squeezespan.demo.settings import DemoOptions
from squeezespan.settings import flatten


def test_methods_differ_in_nothing_but_the_method() -> None:
    sizes = Sizes(steps=100, batch_size=128, resolution=32, steps_per_epoch=70, knn_every=1)
    configs = [flatten(demo_config(row, DemoOptions(), sizes)) for row in ROWS.values()]
    for config in configs[1:]:
        different = {name for name in config if config[name] != configs[0][name]}
        # The embedding is as wide as the standardized target.
        ours = {"method.name", "method.alpha", "method.target", "method.embed_dim"}
        assert different <= ours | {"gan"}


def test_settings_are_valid() -> None:
    for row in ROWS.values():
        for steps in (1, 20, 5000):
            validate(demo_config(row, DemoOptions(), Sizes(steps, 128, 32, 70, 1)))


def test_views_are_counted_as_the_methods_need_them() -> None:
    views = {key: row.views for key, row in ROWS.items()}
    assert views == {"vicreg-real": 2, "vicreg-mixed": 2, "squeeze": 1, "squeeze-span": 1.5}

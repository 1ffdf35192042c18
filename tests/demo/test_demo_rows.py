"""What the demo's methods have in common."""

from squeezespan.config import validate
from squeezespan.demo.configs import Sizes, demo_config
from squeezespan.demo.settings import DemoOptions
from squeezespan.experiments.catalog.demo import DEMO
from squeezespan.settings import flatten


def test_methods_differ_in_nothing_but_the_method_and_what_was_searched_for_it() -> None:
    sizes = Sizes(steps=100, batch_size=128, resolution=32, steps_per_epoch=70, knn_every=1)
    configs = [flatten(demo_config(row, DemoOptions(), sizes)) for row in DEMO.arms]
    for config in configs[1:]:
        different = {name for name in config if config[name] != configs[0][name]}
        # The embedding is as wide as the standardized target.
        ours = {"method.name", "method.alpha", "method.target", "method.embed_dim"}
        searched = {"optim.base_lr", *(name for name in config if name.startswith("augment."))}
        assert different <= ours | searched | {"gan"}


def test_settings_are_valid() -> None:
    for row in DEMO.arms:
        for steps in (1, 20, 5000):
            validate(demo_config(row, DemoOptions(), Sizes(steps, 128, 32, 70, 1)))

"""What evaluations and analyses give, by name; all of it is ready for JSON."""

from typing import NotRequired, TypedDict

from squeezespan.evaluation.options import Protocol

__all__ = ["CkaResult", "ClassMap", "MapResult", "ProbeResult"]


class ProbeResult(TypedDict):
    """The accuracy of a classifier on a backbone's features, and what it depends on."""

    protocol: Protocol
    accuracy: float
    """On the test split, 0 to 1; the mean over the draws for few labels."""
    interval: list[float]
    """Its ends, 95%."""
    interval_kind: str
    draws: NotRequired[list[float]]
    """fewshot: the accuracy of each draw."""
    hits: str | list[str]
    """Which test images were right, as `squeezespan.evaluation.hits` packs them; of every draw for
    few labels."""
    top5: NotRequired[float]
    """Beyond ten classes."""
    top5_interval: NotRequired[list[float]]
    settings: dict[str, object]
    """Of the protocol."""
    seed: int
    classes: int
    n_train: int
    n_test: int
    train_images: str
    """Number and sizes, in words."""
    test_images: str
    data: str
    test_share: NotRequired[float]
    """Of the images, where they have no test split."""
    test_images_seen: NotRequired[bool]
    """With a share: whether the backbone says that it learnt from them."""
    weights: str
    weights_sha256: str
    arch: str
    resolution: int
    provenance: dict[str, object] | None
    """Of the backbone: data, GAN, method, seed, what else it saw."""
    device: str
    hardware: str
    precision: str
    seconds: float
    date: str
    command: str
    versions: dict[str, str | None]
    commit: str | None


class CkaResult(TypedDict):
    """The similarity of layers."""

    layers: list[dict[str, object]]
    """Network and name of each."""
    cka: list[list[float | None]]
    """Layer by layer; None for a constant one."""
    constant: list[str]
    """Layers that say the same of every image."""
    networks: dict[str, dict[str, object]]
    """Shares of similar pairs of layers within each."""
    claims: list[dict[str, object]]
    """What the paper's appendix says of these networks, with a verdict each."""
    interval: str
    num_images: int
    images: str
    settings: dict[str, object]
    device: str
    seconds: float
    environment: dict[str, object]


class ClassMap(TypedDict):
    """A map of one network's features."""

    features: str
    images: str
    dimensions: int
    knn: float
    """Share of images whose neighbours vote for their class, 0 to 1."""
    knn_interval: list[float]
    silhouette: float | None
    places: list[list[float]]
    labels: list[int]


class MapResult(TypedDict):
    """Maps of features."""

    maps: list[ClassMap]
    class_names: list[str]
    classes: str
    """Where they are from."""
    probe_accuracy: float | None
    settings: dict[str, object]
    device: str
    seconds: float
    environment: dict[str, object]

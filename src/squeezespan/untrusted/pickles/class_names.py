"""Classes whose instances published pickles hold in their generators.

Each becomes a record of its attributes. The names are facts of published files; none is imported.
"""

__all__ = ["CLASS_NAMES", "DICT_CLASSES", "IGNORED_CLASSES", "STORAGE_DTYPES", "TORCH_DTYPES"]

CLASS_NAMES: dict[str, str] = {
    # Projected GAN
    "pg_modules.networks_fastgan": "Generator DummyMapping FastganSynthesis FastganSynthesisCond",
    "pg_modules.blocks": (
        "InitLayer UpBlockSmall UpBlockSmallCond UpBlockBig UpBlockBigCond GLU Swish SEBlock "
        "NoiseInjection CCBN CCBN1D Interpolate"
    ),
    # PyTorch
    "torch.nn.modules.activation": (
        "ReLU ReLU6 LeakyReLU PReLU ELU SELU GELU SiLU Mish GLU Sigmoid Tanh Softmax Softplus "
        "Hardswish Hardsigmoid Hardtanh MultiheadAttention"
    ),
    "torch.nn.modules.batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm",
    "torch.nn.modules.container": (
        "Container Sequential ModuleList ModuleDict ParameterList ParameterDict"
    ),
    "torch.nn.modules.conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d",
    "torch.nn.modules.dropout": "Dropout Dropout2d",
    "torch.nn.modules.flatten": "Flatten Unflatten",
    "torch.nn.modules.instancenorm": "InstanceNorm1d InstanceNorm2d",
    "torch.nn.modules.linear": "Identity Linear Bilinear",
    "torch.nn.modules.module": "Module",
    "torch.nn.modules.normalization": "LayerNorm GroupNorm LocalResponseNorm",
    "torch.nn.modules.padding": "ZeroPad2d ReflectionPad2d ReplicationPad2d ConstantPad2d",
    "torch.nn.modules.pixelshuffle": "PixelShuffle PixelUnshuffle",
    "torch.nn.modules.pooling": (
        "AvgPool2d MaxPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d AdaptiveAvgPool1d"
    ),
    "torch.nn.modules.sparse": "Embedding",
    "torch.nn.modules.upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
    "torch.nn.utils.spectral_norm": (
        "SpectralNorm SpectralNormStateDictHook SpectralNormLoadStateDictPreHook"
    ),
    # TensorFlow networks of StyleGAN2
    "dnnlib.tflib.network": "Network",
}
"""Module to the names of its classes."""

IGNORED_CLASSES: dict[str, str] = {
    "collections": "Counter defaultdict",
    "datetime": "date datetime time timedelta timezone",
    "pathlib": "Path PosixPath WindowsPath PurePosixPath PureWindowsPath",
}
"""Classes of training options that pickles call, which stand beside the weights."""

DICT_CLASSES: dict[str, str] = {
    "collections": "OrderedDict",
    "dnnlib.util": "EasyDict",
    "easydict": "EasyDict",
    "lightning_fabric.utilities.data": "AttributeDict",
    "lightning.fabric.utilities.data": "AttributeDict",
    "pytorch_lightning.utilities.parsing": "AttributeDict",
    "pytorch_lightning.utilities.data": "AttributeDict",
}
"""Classes whose instances are dicts."""

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}

STORAGE_DTYPES = {
    f"{module}.{name}": dtype
    for module in ("torch", "torch.cuda")
    for name, dtype in _STORAGES.items()
} | {"torch.storage.UntypedStorage": ""}
"""Class of a storage to the type of its numbers, empty where its tensors tell it."""

TORCH_DTYPES = (
    *_STORAGES.values(),
    *("complex32", "uint16", "uint32", "uint64"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
)
"""Types that torch names in a pickle."""

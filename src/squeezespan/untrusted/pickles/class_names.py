"""Classes whose instances published pickles hold; each becomes a record of its attributes.

Discriminators with their feature networks stand in the same pickle before the averaged generator,
so their classes are known too. The names are facts of published files; none is imported.
"""

__all__ = ["CLASS_NAMES", "IGNORED_CLASSES", "STORAGE_DTYPES", "TORCH_DTYPES"]

CLASS_NAMES: dict[str, str] = {
    # Projected GAN and StyleGAN-XL
    "pg_modules.networks_fastgan": (
        "Generator DummyMapping FastganSynthesis FastganSynthesisCond DownBlockSGBlocks"
    ),
    "pg_modules.blocks": (
        "InitLayer UpBlockSmall UpBlockSmallCond UpBlockBig UpBlockBigCond GLU Swish SEBlock "
        "NoiseInjection CCBN CCBN1D Interpolate DownBlock DownBlockSep DownBlockPatch "
        "SeparableConv2d ResidualConvUnit FeatureFusionBlock"
    ),
    "pg_modules.discriminator": (
        "ProjectedDiscriminator MultiScaleD SingleDisc SingleDiscCond DownBlockSGBlocks"
    ),
    "pg_modules.projector": "F_RandomProj F_Identity",
    "feature_networks.vit": "Slice AddReadout ProjectReadout Transpose",
    "timm.models.efficientnet": "EfficientNet EfficientNetFeatures",
    "timm.models.efficientnet_blocks": (
        "ConvBnAct DepthwiseSeparableConv InvertedResidual CondConvResidual EdgeResidual "
        "SqueezeExcite"
    ),
    "timm.models.vision_transformer": (
        "VisionTransformer Attention Block Mlp PatchEmbed LayerScale"
    ),
    "timm.models.layers.activations": "Swish Mish Sigmoid Tanh HardSwish HardSigmoid PReLU GELU",
    "timm.models.layers.adaptive_avgmax_pool": "SelectAdaptivePool2d FastAdaptiveAvgPool2d",
    "timm.models.layers.conv2d_same": "Conv2dSame",
    "timm.models.layers.drop": "DropPath",
    "timm.models.layers.mlp": "Mlp",
    "timm.models.layers.norm_act": "BatchNormAct2d",
    "timm.models.layers.patch_embed": "PatchEmbed",
    "timm.models.layers.squeeze_excite": "SEModule SqueezeExcite",
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
    "torch.nn.modules.linear": "Identity Linear Bilinear NonDynamicallyQuantizableLinear",
    "torch.nn.modules.module": "Module _WrappedHook",
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
    "torch.nn.quantized.modules.functional_modules": "FloatFunctional",
    "torch.ao.nn.quantized.modules.functional_modules": "FloatFunctional",
    # TensorFlow networks of StyleGAN2
    "dnnlib.tflib.network": "Network",
}
"""Module to the names of its classes."""

IGNORED_CLASSES: dict[str, str] = {
    "argparse": "Namespace",
    "collections": "Counter defaultdict",
    "datetime": "date datetime time timedelta timezone",
    "dnnlib.util": "EasyDict",
    "easydict": "EasyDict",
    "lightning_fabric.utilities.data": "AttributeDict",
    "lightning.fabric.utilities.data": "AttributeDict",
    "pathlib": "Path PosixPath WindowsPath PurePosixPath PureWindowsPath",
    "pytorch_lightning.utilities.parsing": "AttributeDict",
    "pytorch_lightning.utilities.data": "AttributeDict",
}
"""Classes of training options, which stand beside the weights in files of `torch.save`."""

STORAGE_DTYPES = {
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
}
"""Class of a storage, in `torch` or `torch.cuda`, to the type of its numbers."""

TORCH_DTYPES = (*STORAGE_DTYPES.values(), "complex64", "complex128")
"""Types that torch names in a pickle."""

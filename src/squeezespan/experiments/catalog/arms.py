"""The arms that several tables share."""

from squeezespan.experiments.experiment import Arm

__all__ = [
    "SIMSIAM_MIXED",
    "SIMSIAM_REAL",
    "SIMSIAM_SYN",
    "SQUEEZE",
    "SQUEEZE_SPAN",
    "SQUEEZE_SPAN_STANDARDIZED",
    "SQUEEZE_STANDARDIZED",
    "VICREG_MIXED",
    "VICREG_REAL",
    "VICREG_SYN",
]

SIMSIAM_REAL = Arm(
    "simsiam-real", "SimSiam, real images", "simsiam-real-mini", "simsiam-real-{data}"
)
SIMSIAM_SYN = Arm(
    "simsiam-syn", "SimSiam, synthetic images", "simsiam-syn-mini", "simsiam-syn-{data}"
)
SIMSIAM_MIXED = Arm("simsiam-mixed", "SimSiam, both", "simsiam-mixed-mini", "simsiam-mixed-{data}")
VICREG_REAL = Arm("vicreg-real", "VICReg, real images", "vicreg-real-mini", "vicreg-real-{data}")
VICREG_SYN = Arm("vicreg-syn", "VICReg, synthetic images", "vicreg-syn-mini", "vicreg-syn-{data}")
VICREG_MIXED = Arm("vicreg-mixed", "VICReg, both", "vicreg-mixed-mini", "vicreg-mixed-{data}")
SQUEEZE = Arm("squeeze", "Squeeze", "squeeze-paper-mini", "squeeze-{data}")
SQUEEZE_SPAN = Arm(
    "squeeze-span", "Squeeze and Span", "squeeze-span-paper-mini", "squeeze-span-{data}"
)
SQUEEZE_STANDARDIZED = Arm(
    "squeeze-standardized",
    "Squeeze, standardized target",
    "squeeze-mini",
    "squeeze-{data}-standardized",
)
SQUEEZE_SPAN_STANDARDIZED = Arm(
    "squeeze-span-standardized",
    "Squeeze and Span, standardized target",
    "squeeze-span-mini",
    "squeeze-span-{data}-standardized",
)

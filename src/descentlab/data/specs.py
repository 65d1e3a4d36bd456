"""Data sets by name, with their splits and input scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec
from descentlab.data.fields import Scale, Split

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.data.prepare import Raw

MOST_VALUES = 250_000_000  # two gigabytes of float64

Examples = Annotated[int, Field(ge=2, le=10_000_000, description="How many points are drawn.")]
Noise = Annotated[float, Field(ge=0, description="Standard deviation of normal noise.")]


class Data(Spec):
    """Base of the data sets; what it says is structure, floats too."""

    floats_are_data: ClassVar[bool] = False
    split: Split = Field(default=Split(), description="What is set apart, and by which seed.")
    scale: Scale = Field(
        default="standardize",
        description=(
            "none; unit (÷ 255 for bytes, else ÷ largest magnitude in train); standardize "
            "(mean 0, standard deviation 1 in train); minmax (train to [0, 1])."
        ),
    )

    def raw(self) -> Raw:
        """Read or generate the data as it is."""
        raise NotImplementedError

    def load(self) -> Dataset:
        """Return the data set: read, checked, split and scaled.

        Raises:
            DataError: it is missing or damaged, or cannot be trained on; the message
                says where, and what to do.
        """
        from descentlab.data.prepare import prepare

        return prepare(self.raw(), self.split, self.scale)


class _Bundled(Data):
    def raw(self) -> Raw:
        from descentlab.data.bundled import read_bundled

        return read_bundled(self.kind)  # type: ignore[attr-defined]


class Digits(_Bundled):
    """1,797 handwritten digits of 8 × 8 pixels, 10 classes (scikit-learn; UCI, E. Alpaydin)."""

    kind: Literal["digits"] = "digits"
    scale: Scale = "unit"


class BreastCancer(_Bundled):
    """569 breast tumours by 30 measurements, malignant or benign (scikit-learn; UCI)."""

    kind: Literal["breast_cancer"] = "breast_cancer"


class Iris(_Bundled):
    """150 irises of three species by four lengths (scikit-learn; Fisher 1936)."""

    kind: Literal["iris"] = "iris"


class Wine(_Bundled):
    """178 wines of three cultivars by 13 measurements (scikit-learn; UCI)."""

    kind: Literal["wine"] = "wine"


class _Generated(Data):
    examples: Examples = 400
    seed: int = Field(
        default=0, ge=0, description="Of the points; it has nothing to do with a study's seeds."
    )
    scale: Scale = "none"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        classes, features = getattr(self, "classes", 2), getattr(self, "features", 2)
        if self.examples < classes:
            raise ValueError(
                f"{self.examples} examples of {classes} classes; each needs one at least"
            )
        if self.examples * features > MOST_VALUES:
            raise ValueError(
                f"{self.examples} examples × {features} features are more than {MOST_VALUES:,} "
                "numbers; ask for fewer"
            )
        return self

    def raw(self) -> Raw:
        from descentlab.data.generated import generate

        settings = self.model_dump(exclude={"kind", "split", "scale", "examples", "seed"})
        return generate(self.kind, self.examples, self.seed, **settings)  # type: ignore[attr-defined]


class Blobs(_Generated):
    """Normal clouds around centres that lie 2 apart on average; ``noise`` is their spread."""

    kind: Literal["blobs"] = "blobs"
    classes: int = Field(default=2, ge=2, le=1000, description="How many clouds.")
    features: int = Field(default=2, ge=1, le=10_000, description="Dimensions of a point.")
    noise: Noise = 0.7


class Moons(_Generated):
    """Two interleaved half circles."""

    kind: Literal["moons"] = "moons"
    noise: Noise = 0.1


class Circles(_Generated):
    """One circle inside another."""

    kind: Literal["circles"] = "circles"
    noise: Noise = 0.1


class Spirals(_Generated):
    """Interleaved arms of spirals."""

    kind: Literal["spirals"] = "spirals"
    classes: int = Field(default=2, ge=2, le=100, description="How many arms.")
    noise: Noise = 0.05


class LeastSquares(Data):
    """Least squares with a known solution, minimum (noise²/2) and condition of the Hessian."""

    kind: Literal["least_squares"] = "least_squares"
    examples: int = Field(default=100, ge=1, le=10_000_000, description="How many rows.")
    features: int = Field(default=5, ge=1, le=2000, description="How many columns.")
    noise: float = Field(default=1.0, ge=0, description="Standard deviation of the residuals.")
    condition: float = Field(
        default=1.0,
        ge=1,
        description="Largest eigenvalue of the Hessian of the mean half squared error over the "
        "smallest.",
    )
    seed: int = Field(
        default=0, ge=0, description="Of the numbers; it has nothing to do with a study's seeds."
    )
    scale: Scale = "none"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.examples < self.features:
            raise ValueError(
                f"{self.examples} examples of {self.features} features have no unique solution; "
                "expected at least as many examples as features"
            )
        if self.features == 1 and self.condition != 1:
            raise ValueError(
                f"condition {self.condition:g}: one feature has one eigenvalue, so its condition "
                "is 1; leave it out, or ask for more features"
            )
        if self.examples * self.features > MOST_VALUES:
            raise ValueError(
                f"{self.examples} examples × {self.features} features are more than "
                f"{MOST_VALUES:,} numbers; ask for fewer"
            )
        return self

    def raw(self) -> Raw:
        """Draw the problem."""
        from descentlab.data.least_squares import least_squares

        return least_squares(self.examples, self.features, self.noise, self.condition, self.seed)


class NoData(Data):
    """No data: one example without features that matter, for landscapes."""

    kind: Literal["none"] = "none"
    scale: Scale = "none"

    @model_validator(mode="after")
    def _nothing_to_do(self) -> Self:
        if self.split != Split() or self.scale != "none":
            raise ValueError("there is nothing to split or to scale; leave both out")
        return self

    def load(self, features: int = 1) -> Dataset:
        """Return one training example of that many zeros, and nothing else."""
        import numpy as np

        from descentlab.data.dataset import Dataset, Examples

        train = Examples(np.zeros((1, features)), np.zeros((1, 1)))
        return Dataset(
            "none", train, None, None, (), {"what": "none: a function of the point alone"}
        )


class Mnist(Data):
    """MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 pixels (LeCun et al. 1998)."""

    kind: Literal["mnist"] = "mnist"
    scale: Scale = "unit"

    def raw(self) -> Raw:
        """Read the four idx files."""
        from descentlab.data.images import read_images
        from descentlab.data.public import MNIST

        return read_images(MNIST, tuple("0123456789"))


class FashionMnist(Data):
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28 × 28 (Xiao et al. 2017)."""

    kind: Literal["fashion-mnist"] = "fashion-mnist"
    scale: Scale = "unit"

    def raw(self) -> Raw:
        """Read the four idx files."""
        from descentlab.data.images import read_images
        from descentlab.data.public import FASHION_CLASSES, FASHION_MNIST

        return read_images(FASHION_MNIST, FASHION_CLASSES)


class _Own(Data):
    path: str = Field(description="Of the file; a relative path starts at the current folder.")
    label: str = Field(default="label", description="The column or array of the labels.")
    target: Literal["classes", "numeric"] = Field(
        default="classes",
        description="classes (labels in sorted order), or numeric (numbers, for regression).",
    )


class Npz(_Own):
    """Arrays of your own in an ``.npz`` file: inputs, labels, and perhaps ``test_…`` of both."""

    kind: Literal["npz"] = "npz"
    inputs: str = Field(default="inputs", description="The array of the inputs.")

    def raw(self) -> Raw:
        """Read the arrays."""
        from descentlab.data.npz import read_npz

        return read_npz(self.path, self.inputs, self.label, self.target == "numeric")


class _Table(_Own):
    features: tuple[str, ...] | None = Field(
        default=None, description="The columns of the inputs; all but the label without it."
    )

    @field_validator("features")
    @classmethod
    def _each_once(cls, features: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if features is not None and not features:
            raise ValueError("expected at least one column; leave it out to use all")
        twice = [name for name in features or () if (features or ()).count(name) > 1]
        if twice:
            raise ValueError(f"the column '{twice[0]}' is named more than once")
        return features

    @model_validator(mode="after")
    def _label_is_no_feature(self) -> Self:
        if self.label in (self.features or ()):
            raise ValueError(f"the label '{self.label}' is among the features; take it out")
        return self


class Csv(_Table):
    """A table of your own in a CSV file: a label column and feature columns."""

    kind: Literal["csv"] = "csv"
    delimiter: str = Field(
        default=",", pattern="^[\x09\x20-\x7e]$", description="What parts the values of a row."
    )
    header: bool = Field(
        default=True,
        description="Whether the first row has names; without, columns are f0, f1, ….",
    )

    def raw(self) -> Raw:
        """Read the table."""
        from descentlab.data.tables import read_csv

        numeric = self.target == "numeric"
        return read_csv(self.path, self.label, self.features, numeric, self.delimiter, self.header)


class Parquet(_Table):
    """A table of your own in a Parquet file: a label column and feature columns."""

    kind: Literal["parquet"] = "parquet"

    def raw(self) -> Raw:
        """Read the table."""
        from descentlab.data.tables import read_parquet

        return read_parquet(self.path, self.label, self.features, self.target == "numeric")


CATALOGUE = Catalogue(
    "data",
    {
        "digits": Digits,
        "breast_cancer": BreastCancer,
        "iris": Iris,
        "wine": Wine,
        "blobs": Blobs,
        "moons": Moons,
        "circles": Circles,
        "spirals": Spirals,
        "least_squares": LeastSquares,
        "none": NoData,
        "mnist": Mnist,
        "fashion-mnist": FashionMnist,
        "npz": Npz,
        "csv": Csv,
        "parquet": Parquet,
    },
)

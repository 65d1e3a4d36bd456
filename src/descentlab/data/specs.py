"""Data sets by name, with their splits and input scaling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec
from descentlab.data.prepare import Scale, Split

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.data.prepare import Raw

Count = Annotated[int, Field(ge=2, le=10_000_000)]
Noise = Annotated[float, Field(ge=0)]


class Data(Spec):
    """Base of the data sets; what it says is structure, floats too."""

    floats_are_data: ClassVar[bool] = False
    split: Split = Split()
    scale: Scale = "standardize"

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
        from descentlab.data.readers import read_bundled

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
    examples: Count = 400
    seed: int = Field(default=0, ge=0)
    scale: Scale = "none"

    def raw(self) -> Raw:
        from descentlab.data.readers import generate

        settings = self.model_dump(exclude={"kind", "split", "scale", "examples", "seed"})
        return generate(self.kind, self.examples, self.seed, **settings)  # type: ignore[attr-defined]


class Blobs(_Generated):
    """Normal clouds around centres that lie 2 apart on average; ``noise`` is their spread."""

    kind: Literal["blobs"] = "blobs"
    classes: int = Field(default=2, ge=2, le=1000)
    features: int = Field(default=2, ge=1, le=10_000)
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
    classes: int = Field(default=2, ge=2, le=100)
    noise: Noise = 0.05


class Mnist(Data):
    """MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 pixels (LeCun et al. 1998)."""

    kind: Literal["mnist"] = "mnist"
    scale: Scale = "unit"

    def raw(self) -> Raw:
        """Read the four idx files."""
        from descentlab.data.public import MNIST
        from descentlab.data.readers import read_idx

        return read_idx(MNIST, tuple("0123456789"))


class FashionMnist(Data):
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28 × 28 (Xiao et al. 2017)."""

    kind: Literal["fashion-mnist"] = "fashion-mnist"
    scale: Scale = "unit"

    def raw(self) -> Raw:
        """Read the four idx files."""
        from descentlab.data.public import FASHION_CLASSES, FASHION_MNIST
        from descentlab.data.readers import read_idx

        return read_idx(FASHION_MNIST, FASHION_CLASSES)


class _Own(Data):
    path: str
    label: str = "label"
    target: Literal["classes", "numeric"] = "classes"


class Npz(_Own):
    """Arrays of your own in an ``.npz`` file: inputs, labels, and perhaps ``test_…`` of both."""

    kind: Literal["npz"] = "npz"
    inputs: str = "inputs"

    def raw(self) -> Raw:
        """Read the arrays."""
        from descentlab.data.readers import read_npz

        return read_npz(Path(self.path), self.inputs, self.label, self.target == "numeric")


class Csv(_Own):
    """A table of your own in a CSV file with a header: a label column and feature columns."""

    kind: Literal["csv"] = "csv"
    features: tuple[str, ...] | None = None

    def raw(self) -> Raw:
        """Read the table."""
        from descentlab.data.readers import read_table

        parquet = self.kind == "parquet"
        return read_table(
            Path(self.path), self.label, self.features, self.target == "numeric", parquet
        )


class Parquet(Csv):
    """A table of your own in a Parquet file: a label column and feature columns."""

    kind: Literal["parquet"] = "parquet"  # type: ignore[assignment]


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
        "mnist": Mnist,
        "fashion-mnist": FashionMnist,
        "npz": Npz,
        "csv": Csv,
        "parquet": Parquet,
    },
)

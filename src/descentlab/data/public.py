"""The public data sets that are read from files, with addresses and checksums."""

from __future__ import annotations

from descentlab.data.locate import PublicData, PublicFile

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

MNIST = PublicData(
    "mnist",
    (
        PublicFile(
            "train-images-idx3-ubyte.gz",
            _MNIST,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "6bbc9ace898e44ae57da46a324031adb",
        ),
        PublicFile(
            "train-labels-idx1-ubyte.gz",
            _MNIST,
            "d53e105ee54ea40749a09fcbcd1e9432",
            "a25bea736e30d166cdddb491f175f624",
        ),
        PublicFile(
            "t10k-images-idx3-ubyte.gz",
            _MNIST,
            "9fb629c4189551a2d022fa330f9573f3",
            "2646ac647ad5339dbf082846283269ea",
        ),
        PublicFile(
            "t10k-labels-idx1-ubyte.gz",
            _MNIST,
            "ec29112dd5afa0611ce80d1b7f02629c",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
)

FASHION_MNIST = PublicData(
    "fashion-mnist",
    (
        PublicFile(
            "train-images-idx3-ubyte.gz",
            _FASHION,
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        ),
        PublicFile(
            "train-labels-idx1-ubyte.gz",
            _FASHION,
            "25c81989df183df01b3e8a0aad5dffbe",
            "9018921c3c673c538a1fc5bad174d6f9",
        ),
        PublicFile(
            "t10k-images-idx3-ubyte.gz",
            _FASHION,
            "bef4ecab320f06d8554ea6380940ec79",
            "8181f5470baa50b63fa0f6fddb340f0a",
        ),
        PublicFile(
            "t10k-labels-idx1-ubyte.gz",
            _FASHION,
            "bb300cfdad3c16e7a12a480ee83cd310",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
    system=("/usr/share/datasets/fashion-mnist",),  # Debian's package dataset-fashion-mnist
)

FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

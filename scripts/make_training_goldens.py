#!/usr/bin/env python3
"""Makes tests/train/data/steps.txt: what PyTorch makes of the first steps of a small network, in double.

  scripts/make_training_goldens.py [--check]

The network, its weights and its images follow formulas that tests/train/pytorch_test.cc repeats, so that only results
are stored: the loss of every step, and parameters, momentum and running moments after some of them, for SGD with
Nesterov's momentum, RMSProp and AdamW. --check compares with the stored file instead, and fails where they differ by
more than rounding. It needs PyTorch and numpy; the stored file was made with those of Debian 12 (python3-torch,
libopenblas0), whose versions it names.
"""

import math
import pathlib
import sys

import numpy
import torch
from torch.nn import functional

FILE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "train" / "data" / "steps.txt"
BATCH, SIZE, CLASSES, STEPS = 8, 12, 5, 6
EPSILON, SMOOTHING, WEIGHT_DECAY = 1e-3, 0.1, 0.01
SHOWN = (1, STEPS)  # steps after which values are stored


def numbers(count, salt):
    """From -1/2 to 1/2: the upper bits of a linear congruential generator."""
    state, values = 7919 * (salt + 1), []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append((state >> 8) / 2**24 - 0.5)
    return numpy.array(values)


class Network:
    """Its parameters in Sepal's order and layouts: filters [co, h, w, ci / groups], matrices [in, out]."""

    def __init__(self):
        self.parameters = {}
        self.decays = set()
        self.moments = {}
        self.filter("stem", (8, 3, 3, 3))
        self.norm("stem/norm", 8)
        self.filter("block1/depthwise", (8, 3, 3, 1), decays=False)
        self.norm("block1/depthwise/norm", 8, scale=3)  # so that some values are cut off at 6
        self.filter("block1/pointwise", (8, 1, 1, 8))
        self.norm("block1/pointwise/norm", 8)
        self.filter("gate/squeeze", (4, 1, 1, 8))
        self.vector("gate/squeeze/bias", 4)
        self.filter("gate/excite", (8, 1, 1, 4))
        self.vector("gate/excite/bias", 8)
        self.filter("block2/expand", (12, 1, 1, 8))
        self.norm("block2/expand/norm", 12)
        self.filter("block2/depthwise", (12, 3, 3, 1), decays=False)
        self.norm("block2/depthwise/norm", 12)
        self.add("dense/weights", (12, CLASSES), math.sqrt(24 / 12), 0)
        self.decays.add("dense/weights")
        self.vector("dense/bias", CLASSES)

    def add(self, name, shape, scale, centre, into=None):
        values = numbers(math.prod(shape), len(self.parameters) + len(self.moments)) * scale + centre
        # Sepal begins with floats, so both have to.
        values = torch.tensor(values.astype(numpy.float32).astype(numpy.float64).reshape(shape))
        if into is None:
            self.parameters[name] = values.requires_grad_()
        else:
            into[name] = values

    def filter(self, name, shape, decays=True):
        self.add(name + "/filter", shape, math.sqrt(24 / math.prod(shape[1:])), 0)
        if decays:
            self.decays.add(name + "/filter")

    def vector(self, name, count):
        self.add(name, (count,), 0.5, 0)

    def norm(self, name, count, scale=1):
        self.add(name + "/scale", (count,), 0.5, scale)
        self.vector(name + "/shift", count)
        self.add(name + "/mean", (count,), 1, 0, self.moments)
        self.add(name + "/variance", (count,), 1, 1, self.moments)

    def conv(self, x, name, stride=1, bias=False):
        filter = self.parameters[name + "/filter"].permute(0, 3, 1, 2)
        groups = x.shape[1] // filter.shape[1]
        return functional.conv2d(x, filter, self.parameters[name + "/bias"] if bias else None, stride,
                                 filter.shape[2] // 2, 1, groups)

    def normalised(self, x, name):
        return functional.batch_norm(x, self.moments[name + "/mean"], self.moments[name + "/variance"],
                                     self.parameters[name + "/scale"], self.parameters[name + "/shift"], training=True,
                                     momentum=0.1, eps=EPSILON)

    def logits(self, x):
        def layer(x, name, stride=1):
            return self.normalised(self.conv(x, name, stride), name + "/norm")

        x = functional.hardswish(layer(x, "stem", 2))
        inside = functional.relu6(layer(x, "block1/depthwise"))
        x = x + layer(inside, "block1/pointwise")
        gate = functional.relu(self.conv(x.mean((2, 3), keepdim=True), "gate/squeeze", bias=True))
        x = x * functional.hardsigmoid(self.conv(gate, "gate/excite", bias=True))
        x = functional.max_pool2d(x, 3, 2, 1)
        x = functional.relu6(layer(x, "block2/expand"))
        x = functional.silu(layer(x, "block2/depthwise"))
        x = functional.avg_pool2d(x, 2, 1).mean((2, 3))
        return x @ self.parameters["dense/weights"] + self.parameters["dense/bias"]


def optimizer(rule, network):
    decaying = [value for name, value in network.parameters.items() if name in network.decays]
    others = [value for name, value in network.parameters.items() if name not in network.decays]
    groups = [{"params": decaying, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0}]
    if rule == "sgd":
        return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    if rule == "rmsprop":
        return torch.optim.RMSprop(groups, lr=0.002, alpha=0.9, momentum=0.9, eps=1e-10)
    return torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.99), eps=1e-4)


def steps():
    """The lines of the file: what, where, then the numbers."""
    images = numbers(BATCH * SIZE * SIZE * 3, 1000) * 4
    images = images.astype(numpy.float32).astype(numpy.float64)
    images = torch.tensor(images.reshape(BATCH, SIZE, SIZE, 3)).permute(0, 3, 1, 2)
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(BATCH)])
    for rule in ("sgd", "rmsprop", "adamw"):
        network = Network()
        learn = optimizer(rule, network)
        for step in range(1, STEPS + 1):
            learn.zero_grad()
            logits = network.logits(images)
            loss = functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
            loss.backward()
            learn.step()
            yield f"{rule} {step} loss", [loss.item()]
            if step not in SHOWN:
                continue
            yield f"{rule} {step} logits", logits.flatten().tolist()
            for name, value in network.parameters.items():
                yield f"{rule} {step} {name}", value.detach().flatten().tolist()
                if rule == "sgd" and step == 1:  # momentum is the gradient then, and the decay
                    yield f"{rule} {step} momentum/{name}", learn.state[value]["momentum_buffer"].flatten().tolist()
            if rule == "sgd":
                for name, value in network.moments.items():
                    yield f"{rule} {step} {name}", value.tolist()


def stored():
    for line in FILE.read_text().splitlines():
        if not line.startswith("#"):
            words = line.split()
            yield " ".join(words[:3]), [float(word) for word in words[3:]]


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    torch.set_num_threads(1)
    if sys.argv[1:]:
        for (name, ours), (other, theirs) in zip(steps(), stored(), strict=True):
            if name != other or not numpy.allclose(ours, theirs, rtol=1e-6, atol=1e-8):
                sys.exit(f"make_training_goldens: {name} is not as stored")
        return
    FILE.parent.mkdir(exist_ok=True)
    with open(FILE, "w", encoding="ascii") as file:
        file.write(f"# PyTorch {torch.__version__}, numpy {numpy.__version__}, in double, by scripts/make_training_goldens.py:\n"
                   "# rule, steps done, value, its numbers in Sepal's layout\n")
        for name, values in steps():
            file.write(" ".join([name, *(f"{value:.8g}" for value in values)]) + "\n")


main()

#!/usr/bin/env python3
"""Times whole steps of training by PyTorch, for scripts/bench_train_peers.

  scripts/torch_step.py NETWORK THREADS SECONDS

NETWORK is one of Sepal's zoo, with size, stem, classes and batch: mobilenet_v1, mobilenet_v1_standard or mobilenet_v2,
as "mobilenet_v1:size=32,stem=1,classes=10,batch=128". Forward pass, gradients and SGD with momentum, channels-last.
Prints one JSON line: min_ms, median_ms, parameters, version, and idle_kib and peak_kib, the most memory that the
process had resident before the network was made and after the last step.
"""

import json
import sys
import time

import torch
from torch import nn

# Rows of the papers' tables: channels and stride; expansion, channels, repeats and stride.
V1 = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def conv(before, after, kernel=3, stride=1, groups=1, activation=True):
    layers = [nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(after)]
    return nn.Sequential(*layers, *[nn.ReLU6(inplace=True)] * activation)


class Inverted(nn.Module):
    def __init__(self, before, after, expansion, stride):
        super().__init__()
        inside = before * expansion
        expand = [conv(before, inside, 1)] if expansion > 1 else []
        self.body = nn.Sequential(*expand, conv(inside, inside, 3, stride, inside),
                                  conv(inside, after, 1, activation=False))
        self.shortcut = stride == 1 and before == after

    def forward(self, x):
        return x + self.body(x) if self.shortcut else self.body(x)


def network(name, stem, classes):
    layers, channels = [conv(3, 32, 3, stem)], 32
    if name == "mobilenet_v2":
        for expansion, after, repeats, stride in V2:
            for i in range(repeats):
                layers.append(Inverted(channels, after, expansion, stride if i == 0 else 1))
                channels = after
        layers.append(conv(channels, 1280, 1))
        channels = 1280
    else:
        for after, stride in V1:
            if name == "mobilenet_v1_standard":
                layers.append(conv(channels, after, 3, stride))
            else:
                layers += [conv(channels, channels, 3, stride, channels), conv(channels, after, 1)]
            channels = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def peak_kib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    name, _, rest = sys.argv[1].partition(":")
    options = {"size": 224, "stem": 2, "classes": 1000, "batch": 1}
    options.update((key, int(value)) for key, value in (word.split("=") for word in rest.split(",") if word))
    torch.set_num_threads(int(sys.argv[2]))
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    idle = peak_kib()
    net = network(name, options["stem"], options["classes"]).to(memory_format=torch.channels_last).train()
    images = torch.rand(options["batch"], 3, options["size"], options["size"]) - 0.5
    images = images.to(memory_format=torch.channels_last)
    labels = torch.arange(options["batch"]) * 7 % options["classes"]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=4e-5)

    kept = {}

    def step():
        # As in a usual loop, the loss is alive until the next one: where nothing is, the C library gives a step's memory
        # back to the system and takes it anew, page by page, which costs PyTorch a third of its time.
        optimizer.zero_grad()
        kept["loss"] = nn.functional.cross_entropy(net(images), labels)
        kept["loss"].backward()
        optimizer.step()

    step()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < float(sys.argv[3]):
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps({"min_ms": min(times), "median_ms": sorted(times)[len(times) // 2], "idle_kib": idle,
                      "peak_kib": peak_kib(), "parameters": sum(p.numel() for p in net.parameters()),
                      "version": torch.__version__}))


main()

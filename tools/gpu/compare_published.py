#!/usr/bin/env python3
"""Times our training steps beside plain PyTorch of the published architecture, on the same device.

The published code itself is not carried along: the networks and the three updates below are written anew from the
architecture as docs/gan.md and tests/gan/plain_path.cc have it, the way PyTorch is usually written: library layers,
automatic differentiation, two Adam steps of the critic. What is timed is five updates of the critic and one of the
generator on one batch that lies on the device already, so neither side waits for data.

  tools/gpu/compare_published.py --benchmark build/trainer/tests/bin/gan_benchmark -o speed.txt
  tools/gpu/compare_published.py --device cpu --tiny       # a try-out, of plain PyTorch alone
"""
import argparse
import contextlib
import json
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def norm(channels):
    return nn.InstanceNorm2d(channels, affine=True, track_running_stats=False)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), norm(channels), nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), norm(channels))

    def forward(self, x):
        return x + self.main(x)


class Generator(nn.Module):
    def __init__(self, dim, aus, blocks=6):
        super().__init__()
        layers = [nn.Conv2d(3 + aus, dim, 7, padding=3, bias=False), norm(dim), nn.ReLU(inplace=True)]
        for _ in range(2):
            layers += [nn.Conv2d(dim, 2 * dim, 4, 2, 1, bias=False), norm(2 * dim), nn.ReLU(inplace=True)]
            dim *= 2
        layers += [Residual(dim) for _ in range(blocks)]
        for _ in range(2):
            layers += [nn.ConvTranspose2d(dim, dim // 2, 4, 2, 1, bias=False), norm(dim // 2), nn.ReLU(inplace=True)]
            dim //= 2
        self.main = nn.Sequential(*layers)
        self.colour = nn.Conv2d(dim, 3, 7, padding=3, bias=False)
        self.attention = nn.Conv2d(dim, 1, 7, padding=3, bias=False)

    def forward(self, image, aus):
        planes = aus[:, :, None, None].expand(-1, -1, image.size(2), image.size(3))
        x = self.main(torch.cat([image, planes], 1))
        return torch.tanh(self.colour(x)), torch.sigmoid(self.attention(x))


class Critic(nn.Module):
    def __init__(self, size, dim, aus, layers):
        super().__init__()
        stack, last = [], 3
        for _ in range(layers):
            stack += [nn.Conv2d(last, dim, 4, 2, 1), nn.LeakyReLU(0.01, inplace=True)]
            last, dim = dim, 2 * dim
        self.main = nn.Sequential(*stack)
        self.score = nn.Conv2d(last, 1, 3, padding=1, bias=False)
        self.aus = nn.Conv2d(last, aus, size >> layers, bias=False)

    def forward(self, image):
        x = self.main(image)
        return self.score(x).squeeze(1), self.aus(x).flatten(1)


class Plain:
    """The published iteration."""

    def __init__(self, o, autocast):
        torch.manual_seed(1)
        layers = min(6, o.image_size.bit_length() - 1)
        self.g = Generator(o.conv_dim, o.aus).to(o.device)
        self.d = Critic(o.image_size, o.conv_dim, o.aus, layers).to(o.device)
        self.g_adam = torch.optim.Adam(self.g.parameters(), 1e-4, (0.5, 0.999))
        self.d_adam = torch.optim.Adam(self.d.parameters(), 1e-4, (0.5, 0.999))
        self.image = torch.rand(o.batch, 3, o.image_size, o.image_size, device=o.device) * 2 - 1
        self.real, self.wanted = (torch.rand(o.batch, o.aus, device=o.device) for _ in range(2))
        self.autocast = (lambda: torch.autocast(o.device, torch.bfloat16)) if autocast else contextlib.nullcontext

    def paint(self, image, aus):
        colour, attention = self.g(image, aus)
        return attention * image + (1 - attention) * colour, attention

    def critic(self):
        with self.autocast():
            fake, _ = self.paint(self.image, self.wanted)
            score, aus = self.d(self.image)
            loss = -score.mean() + self.d(fake.detach())[0].mean() + 160 * F.mse_loss(aus, self.real)
        self.d_adam.zero_grad()
        loss.backward()
        self.d_adam.step()
        alpha = torch.rand(self.image.size(0), 1, 1, 1, device=self.image.device)
        between = (alpha * self.image + (1 - alpha) * fake.detach().float()).requires_grad_()
        with self.autocast():
            score, _ = self.d(between)
        slope, = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        penalty = 10 * (slope.float().flatten(1).norm(dim=1) - 1).square().mean()
        self.d_adam.zero_grad()
        penalty.backward()
        self.d_adam.step()

    @staticmethod
    def variation(mask):
        dx, dy = mask[..., :-1] - mask[..., 1:], mask[..., :-1, :] - mask[..., 1:, :]
        return dx.abs().sum() + dy.abs().sum()

    def generator(self):
        with self.autocast():
            fake, first = self.paint(self.image, self.wanted)
            score, aus = self.d(fake)
            back, second = self.paint(fake, self.real)
            loss = -score.mean() + 160 * F.mse_loss(aus, self.wanted) + 10 * F.l1_loss(back, self.image)
            for mask in (first, second):
                loss = loss + 0.1 * mask.mean() + 1e-5 * self.variation(mask)
        self.g_adam.zero_grad()
        loss.backward()
        self.g_adam.step()

    def cycle(self):
        for _ in range(5):
            self.critic()
        self.generator()


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def time_plain(o, autotuned, autocast):
    """Milliseconds for five critic updates and one of the generator."""
    torch.backends.cudnn.benchmark = autotuned
    plain = Plain(o, autocast)
    for _ in range(o.warm_up):
        plain.cycle()
    wait(o.device)
    begin = time.perf_counter()
    for _ in range(o.cycles):
        plain.cycle()
    wait(o.device)
    return 1000 * (time.perf_counter() - begin) / o.cycles


def time_ours(o):
    """The same by path: fp32, bf16, tf32."""
    name = "TinyCycle" if o.tiny else "Cycle"
    paths = {1: "ours, fp32 (exact)", 3: "ours, tf32", 2: "ours, bf16"}
    if o.device == "cpu":
        paths.pop(3)
    asked = f"^{name}/path:({'|'.join(str(p) for p in paths)})/batch:{o.batch}/"
    text = subprocess.run([o.benchmark, f"--device={o.device}", f"--benchmark_filter={asked}", "--benchmark_format=json"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {int(b["name"].split("path:")[1].split("/")[0]): b["real_time"] for b in json.loads(text)["benchmarks"]}
    return {label: found[path] for path, label in paths.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="batch 2, 32 pixels, 8 channels: a try-out")
    parser.add_argument("--cycles", type=int, default=0, help="timed, default 20, 1 on a processor")
    parser.add_argument("--benchmark", help="gan_benchmark of our build; without it plain PyTorch alone")
    parser.add_argument("-o", "--output", help="the table as text, as it is shown")
    o = parser.parse_args()
    o.batch, o.image_size, o.conv_dim, o.aus = (2, 32, 8, 17) if o.tiny else (25, 128, 64, 17)
    o.cycles = o.cycles or (20 if o.device == "cuda" else 1)
    o.warm_up = 3 if o.device == "cuda" else 1
    if o.device == "cuda" and not torch.cuda.is_available():
        sys.exit("compare_published.py: PyTorch finds no CUDA device; --device cpu for a try-out")
    rows = {"PyTorch, as it comes": time_plain(o, False, False)}
    if o.device == "cuda":
        rows["PyTorch, cudnn.benchmark"] = time_plain(o, True, False)
    rows["PyTorch, cudnn.benchmark, bf16 autocast"] = time_plain(o, True, True)
    torch.cuda.empty_cache()
    if o.benchmark:
        rows.update(time_ours(o))
    name = torch.cuda.get_device_name() if o.device == "cuda" else "processor"
    default, cast = rows["PyTorch, as it comes"], rows["PyTorch, cudnn.benchmark, bf16 autocast"]
    lines = [f"five critic updates and one of the generator, batch {o.batch}, {o.image_size} pixels, {o.conv_dim} channels; "
             f"{name}, PyTorch {torch.__version__}",
             f"{'':42}{'ms':>10}{'as it comes':>14}{'autocast':>11}"]
    lines += [f"{label:42}{ms:10.1f}{default / ms:13.2f}x{cast / ms:10.2f}x" for label, ms in rows.items()]
    text = "\n".join(lines)
    print(text)
    if o.output:
        with open(o.output, "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()

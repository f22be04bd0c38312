"""Trains a small convolutional network on scikit-learn's digits; writes model, metrics and a plot to outputs/."""
import argparse
import json
import pathlib
import time

import matplotlib
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

matplotlib.use("Agg")  # no screen
from matplotlib import pyplot  # noqa: E402

BATCH = 100


def load(seed):
    """Images as 1x8x8 tensors between 0 and 1, and their digits: for training, and held out."""
    images, digits = load_digits(return_X_y=True)
    parts = train_test_split(images / 16.0, digits, test_size=0.2, random_state=seed, stratify=digits)
    train_x, test_x = (torch.tensor(part, dtype=torch.float32).view(-1, 1, 8, 8) for part in parts[:2])
    train_y, test_y = (torch.tensor(part, dtype=torch.long) for part in parts[2:])
    return train_x, train_y, test_x, test_y


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(32 * 4 * 4, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def train_epoch(model, optimizer, x, y):
    """One pass over the images in random order; the mean loss."""
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x)).split(BATCH):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)


def plot(history, path):
    figure, left = pyplot.subplots(figsize=(6, 4))
    epochs = [line["epoch"] for line in history]
    left.plot(epochs, [line["loss"] for line in history], color="tab:red")
    left.set_xlabel("epoch")
    left.set_ylabel("training loss", color="tab:red")
    right = left.twinx()
    right.plot(epochs, [line["accuracy"] for line in history], color="tab:blue")
    right.set_ylabel("accuracy on held-out digits", color="tab:blue")
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outputs", type=pathlib.Path, default=pathlib.Path("outputs"))
    options = parser.parse_args()

    torch.set_num_threads(1)  # for a network this small: several wait for one another more than they compute
    torch.manual_seed(options.seed)
    options.outputs.mkdir(parents=True, exist_ok=True)
    train_x, train_y, test_x, test_y = load(options.seed)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads: "
          f"{len(train_x)} digits to learn from, {len(test_x)} held out", flush=True)

    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    history = []
    begin = time.monotonic()
    with open(options.outputs / "metrics.jsonl", "w") as metrics:
        for epoch in range(1, options.epochs + 1):
            loss = train_epoch(model, optimizer, train_x, train_y)
            line = {"epoch": epoch, "loss": round(loss, 5), "accuracy": round(accuracy(model, test_x, test_y), 5)}
            history.append(line)
            print(json.dumps(line), file=metrics, flush=True)
            print(f"epoch {epoch:2d}  loss {loss:.4f}  accuracy {line['accuracy']:.4f}", flush=True)

    torch.save(model.state_dict(), options.outputs / "model.pt")
    plot(history, options.outputs / "loss.png")
    print(f"accuracy {history[-1]['accuracy']:.4f} after {time.monotonic() - begin:.1f} s; "
          f"model, metrics and plot in {options.outputs}/", flush=True)


if __name__ == "__main__":
    main()

"""Which files of a data set are which split: a file, what `save_to_disk` wrote, or a directory whose names say it, as the
reference's `load_dataset` reads them. What those names leave over is a split by its own name, where the reference leaves it out.
"""

import os
import pathlib
import re

from .errors import ZpError, readError
from .sources import SUFFIXES, parseJson, suffixOf

# Words in the names of files and folders, in the order in which the reference looks for them.
WORDS = {"train": ("train", "training"), "validation": ("validation", "valid", "dev", "val"), "test": ("test", "testing", "eval", "evaluation")}
APART = "[-._ 0-9]"  # what stands beside such a word
SHARD = re.compile(r"-\d{5}-of-\d{5}")
SHARD_OF_DATA = re.compile(r"data/(\w+(?:\.\w+)*)-\d{5}-of-\d{5}[^/]*")
# A path with a word in a folder's name, and in the file's. Files are read in the order of the patterns.
FOLDERS = tuple(f"(^|/){place}/" for place in ("{}", "{}" + APART + "[^/]*", "[^/]*" + APART + "{}", "[^/]*" + APART + "{}" + APART + "[^/]*"))
FILES = tuple(f"(^|/){place}{APART}[^/]*$" for place in ("{}", "[^/]*" + APART + "{}"))
# JSON that says something about a data set, and isn't one.
ABOUT = ("config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")


def findSplits(dataset):
    """Split name -> files. A single file is the one split named ''."""
    path = pathlib.Path(dataset)
    if not path.exists():
        raise ZpError("FileMissing", dataset, "no such file or directory; give a data file or a directory of splits")
    if path.is_file():
        if not suffixOf(path):
            raise ZpError(
                "Dataset",
                dataset,
                f"is not a known kind of data file, expected one of {' '.join(SUFFIXES)}; convert it or rename it",
            )
        return {"": [path]}
    if (path / "state.json").exists():  # one data set written by save_to_disk
        return {"": savedFiles(path)}
    if (path / "dataset_dict.json").exists():  # several of them
        return {name: savedFiles(path / name) for name in savedSplits(path / "dataset_dict.json")}
    names = dataFiles(path)
    if not names:
        raise ZpError(
            "FileMissing",
            dataset,
            f"holds no data file, expected {' '.join(SUFFIXES)} files, or a folder a split; check the path",
        )
    return {split: [path / name for name in files] for split, files in splitsOf(names, dataset).items()}


def ownSplit(dataset, name):
    """Files of a directory that is no saved data set, whose own name it is: train_sft, say, of what is train in general."""
    path = pathlib.Path(dataset)
    if not path.is_dir() or (path / "state.json").exists() or (path / "dataset_dict.json").exists():
        return []
    return [path / file for file in dataFiles(path) if ownName(file) == name]


def savedSplits(file):
    try:
        names = parseJson(file.read_bytes(), file)["splits"]
    except OSError as error:
        raise readError(file, error) from None
    except (KeyError, TypeError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ZpError("Json", file, "lists no splits; save the data set again with save_to_disk")
    return names


def savedFiles(folder):
    state = folder / "state.json"
    try:
        return [folder / entry["filename"] for entry in parseJson(state.read_bytes(), state)["_data_files"]]
    except OSError as error:
        raise readError(state, error) from None
    except (KeyError, TypeError):
        raise ZpError("Json", state, "lists no _data_files; save the data set again with save_to_disk") from None


def dataFiles(path):
    """Names of the data files below a directory, hidden ones left out."""
    names, seen = [], set()
    for folder, folders, files in os.walk(path, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:  # a link led back here
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        for name in files:
            file = pathlib.Path(folder, name)
            if not name.startswith(".") and name not in ABOUT and suffixOf(file) and file.is_file():
                names.append(file.relative_to(path).as_posix())
    return sorted(names)


def splitsOf(names, dataset):
    """Split -> names of its files."""
    shards = {name: found[1] for name in names if (found := SHARD_OF_DATA.fullmatch(name))}
    if shards:
        splits = {split: [name for name in names if shards.get(name) == split] for split in shards.values()}
    else:
        splits = {split: named(names, words, FOLDERS) for split, words in WORDS.items()}
        rest = [name for name in names if not any(name in files for files in splits.values())]
        folders = len(rest) < len(names)
        for split, files in splits.items():
            if not files:
                splits[split] = named(rest, WORDS[split], FILES)
            if folders:  # beside them the reference reads no file; here one is of one split
                rest = [name for name in rest if name not in splits[split]]
        rest = [name for name in rest if not any(name in files for files in splits.values())]
        if len(rest) == len(names):
            return {"train": names}  # names that say nothing
        for name in rest:
            own = ownName(name)
            if splits.get(own) and own in WORDS:  # the reference passes over the file
                what = f"has the split {own} twice, in {splits[own][0]} and in {name}, expected it once; move one of them away"
                raise ZpError("Dataset", dataset, what)
            splits.setdefault(own, []).append(name)
    known = [split for split in WORDS if splits.get(split)]
    return {split: splits[split] for split in known + sorted(splits.keys() - WORDS.keys())}


def named(names, words, places):
    """The names that have one of some words in one of some places, in the order of words and places."""
    patterns = [re.compile(place.replace("{}", word)) for word in words for place in places]
    ranks = {name: next((rank for rank, pattern in enumerate(patterns) if pattern.search(name)), None) for name in names}
    return sorted((name for name, rank in ranks.items() if rank is not None), key=lambda name: (ranks[name], name))


def ownName(name):
    """A folder's name, or a file's without what it ends in."""
    parts = pathlib.PurePosixPath(name).parts
    if len(parts) > 1 and parts[0] != "data":
        return parts[0]
    return SHARD.sub("", parts[-1].removesuffix(suffixOf(parts[-1])))

"""zpdata's command line. Flags are spelled as in the Hugging Face scripts: `-` for `_`, unique prefixes, and
booleans bare or with true/false."""

import difflib
import sys

from . import flags
from .errors import ZpError


def parse(parser, words):
    """Arguments, after spelling flags out: `_` for `-`, the whole name for a prefix, `=true` for a bare boolean. Their `given`
    is what flags were there."""
    known = {
        option: action for action in parser._actions for option in action.option_strings if option.startswith("--")
    }
    spelled, given = [], set()
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            spelled += [word, *words]
            break
        if not word.startswith("--"):
            spelled.append(word)
            continue
        name, equals, value = word.partition("=")
        name = spellOut(name.replace("-", "_").replace("__", "--", 1), known, parser.prog)
        if not equals and known[name].type is flags.boolean:
            value = words.pop(0) if words and words[0].lower() in flags.BOOLEANS else "true"
            equals = "="
        given.add(known[name].dest)
        spelled.append(name + equals + value)
    arguments, unknown = parser.parse_known_args(spelled)
    if unknown:
        raise ZpError("Usage", parser.prog, f"{unknown[0]} is one argument too many; see {parser.prog} --help")
    arguments.given = given
    return arguments


def spellOut(name, known, program):
    matches = [name] if name in known else sorted(flag for flag in known if flag.startswith(name))
    if len({id(known[m]) for m in matches}) == 1:
        return matches[0]
    if matches:
        raise ZpError("Usage", program, f"{name} could be {' or '.join(matches)}; write it out")
    near = difflib.get_close_matches(name, known, 1)
    raise ZpError(
        "UnknownKey",
        program,
        f"{name} is not a flag; " + (f"did you mean {near[0]}" if near else f"see {program} --help"),
    )


def main(words=None):
    """Returns the exit code."""
    from . import answers, make, prompts, save, show, text

    verbs = {
        "show": (flags.makeShowParser, show.show),
        "prompts": (flags.makePromptsParser, prompts.makePrompts),
        "text": (flags.makeTextParser, text.printText),
        "tokenizer": (flags.makeTokenizerParser, save.saveTokenizer),
        "accuracy": (flags.makeAccuracyParser, answers.printAccuracy),
        "classify": (flags.makeClassifyParser, answers.writePredictions),
    }

    words = sys.argv[1:] if words is None else words
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every letter of the user's text
    try:
        if words and words[0] in verbs:
            makeVerbParser, run = verbs[words[0]]
            run(parse(makeVerbParser(), words[1:]))
        else:
            make.make(parse(flags.makeParser(), words))
    except ZpError as error:
        return error.report()
    except MemoryError:
        what = "this machine has too little memory for rows as many and as long; set --max_length lower, or make the rows in parts"
        return ZpError("HostMemory", "zpdata", what).report()
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stdout = None
    except KeyboardInterrupt:
        return 130
    return 0

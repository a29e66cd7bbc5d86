"""A tokenizer directory in the Hugging Face layout: tokenizer.json, the names of its special tokens, its chat
template."""

import functools
import json
import pathlib

import jinja2
import tokenizers

from .errors import ZpError, readError, warn
from .special_tokens import LISTED, NAMES, furtherTokens, ownTokens
from .templates import FORMATS, compileTemplate
from .tokenizer_class import classOf, defaultsOf, rebuilt

LISTINGS = (
    ("additional_special_tokens", list, "a list of tokens"),
    ("extra_special_tokens", (list, dict), "a list of tokens, or an object from names to tokens"),
)
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")  # of an added token


class Tokenizer:
    """`special` maps names to tokens, `own` those that the model named itself, `further` are special tokens without a name,
    `templates` names to compiled ones and `texts` to their words, `added` lists (token, id) that the vocabulary lacked.
    `className` is the class that the reference takes for it, `loneClass` without a model beside it, `rebuilt` whether that goes over what
    tokenizer.json says (see tokenizer_class.py)."""

    def __init__(self, directory, format="none"):
        self.directory = pathlib.Path(directory)
        if not self.directory.is_dir():
            raise ZpError(
                "FileMissing", directory, "no such directory; --tokenizer takes one that holds tokenizer.json"
            )
        config = self._json("tokenizer_config.json")
        # As in the reference: older files go over the configuration, but only where that doesn't list the added tokens itself.
        older = {} if "added_tokens_decoder" in config else self._json("special_tokens_map.json")
        format = FORMATS.get(format)
        words = self._words()
        self.className, self.loneClass = (classOf(config, model, words) for model in (self._baseConfig(), {}))
        core = self._parsed(words)
        padding = {"pad_token": core.padding["pad_token"]} if core.padding else {}
        full = {**padding, **defaultsOf(self.className, config), **config}
        self.config = {**full, **older}
        self.core = self._withTokens(core, self._addedTokens(config, older, format, core))
        self.special = {name: self._token(name, self.config[name], fileOf(name, older)) for name in NAMES if self.config.get(name)}
        self._setFormat(format)
        self._setSpecial(full, older, format)

    def encode(self, texts, addSpecial, length=None):
        """Encodings of many texts, of at most `length` tokens if given; the work is shared among threads."""
        if length:
            side = self.config.get("truncation_side", "right")
            self.core.enable_truncation(length, direction=side if side in ("left", "right") else "right")
        try:
            return self.core.encode_batch(texts, add_special_tokens=addSpecial)
        finally:
            self.core.no_truncation()

    def decode(self, ids):
        """The text of tokens, without the special ones."""
        text = self.core.decode(ids, skip_special_tokens=True)
        return withoutBlanks(text) if self._cleansUp else text

    @property
    def _cleansUp(self):
        """The reference doesn't do to byte pairs, whose blanks are the text's own, what an older configuration asks for."""
        key = "clean_up_tokenization_spaces"
        pairs = isinstance(self.core.model, tokenizers.models.BPE)
        return self.config.get(key) and (not pairs or self.config.get(f"{key}_for_bpe_even_though_it_will_corrupt_output"))

    @property
    def eosToken(self):
        return self.special.get("eos_token")

    @property
    def eosId(self):
        """None: the tokenizer names none, or one that isn't in its vocabulary."""
        return self.core.token_to_id(self.eosToken) if self.eosToken else None

    @property
    def padId(self):
        """pad_token, else eos_token, else 0: padding is never attended to nor counted."""
        token = self.special.get("pad_token") or self.eosToken
        return (self.core.token_to_id(token) if token else None) or 0

    def warnAboutPadding(self):
        """Says what fills rows when the tokenizer names nothing for it, where the reference would ask for a pad token."""
        if not self.special.get("pad_token"):
            token = self.core.id_to_token(self.padId)
            warn(
                f"the tokenizer in {self.directory} has no pad token: rows are filled up with {token}, which nothing attends to or counts"
            )

    @property
    def modelMaxLength(self):
        """Tokens that the model takes by the tokenizer's word, or None."""
        length = self.config.get("model_max_length")
        return length if isinstance(length, int) and 0 < length < 2**31 else None

    def modelConfig(self):
        return self._json("config.json")

    def _baseConfig(self):
        """config.json of the model whose tokenizer it is: in an adapter's directory its base's, if that is there."""
        base = self._json("adapter_config.json").get("base_model_name_or_path")
        if isinstance(base, str) and base and not (self.directory / "config.json").exists():
            return self._json(pathlib.Path(base).absolute() / "config.json")
        return self.modelConfig()

    def generationConfig(self):
        return self._json("generation_config.json")

    @property
    def size(self):
        return self.core.get_vocab_size(with_added_tokens=True)

    @functools.cached_property
    def matched(self):
        """Tokens that are matched before a text is split."""
        return [token.content for token in self.core.get_added_tokens_decoder().values()]

    def templateFor(self, tools=None):
        """The compiled template; of several, the one for tools when a row has a list of them, as in the reference an empty one too."""
        if tools is not None and "tool_use" in self.templates:
            return self.templates["tool_use"]
        return self.templates.get("default")

    def _words(self):
        """The bytes of tokenizer.json."""
        path = self.directory / "tokenizer.json"
        if not path.exists():
            raise ZpError("FileMissing", path, "no such file; save the tokenizer again as a fast one, which writes it")
        try:
            return path.read_bytes()
        except OSError as error:
            raise readError(path, error) from None

    def _parsed(self, words):
        try:
            return tokenizers.Tokenizer.from_buffer(words)
        except Exception as error:  # the library has no exception of its own
            raise ZpError("Json", self.directory / "tokenizer.json", f"is not a tokenizer ({error}); save it again") from None

    def _withTokens(self, core, tokens):
        """The tokenizer as its class makes it, with added tokens."""
        core.no_truncation()
        core.no_padding()
        made = rebuilt(core, self.className, self.config)
        self.rebuilt = made is not None
        core = made or core
        known = {repr(token) for token in core.get_added_tokens_decoder().values()}
        core.add_tokens([token for token in tokens if repr(token) not in known])
        return core

    def _addedTokens(self, config, older, format, core):
        """By rising ids: those of the configuration's added_tokens_decoder or, of older directories, added_tokens.json's and tokenizer.json's."""
        if "added_tokens_decoder" not in config:
            tokens = {**self._olderTokens(config, older, format), **core.get_added_tokens_decoder()}
            return [tokens[identity] for identity in sorted(tokens)]
        added = config["added_tokens_decoder"] or {}
        if not isinstance(added, dict):
            raise self._wrong("added_tokens_decoder", added, "an object from ids to tokens")
        for identity in added:
            if not identity.isdecimal():
                raise self._wrong("added_tokens_decoder", identity, "ids that are whole numbers from 0")
        ids = sorted(added, key=int)
        return [self._addedToken(f"added_tokens_decoder.{identity}", added[identity])[1] for identity in ids]

    def _olderTokens(self, config, older, format):
        """Id -> token of added_tokens.json, which says no more of a token: one that has a role, or is listed, is special."""
        file = "added_tokens.json"
        named = {**{name: config.get(name) for name in NAMES}, **older, **(format[1] if format else {})}
        listed = furtherTokens(config, {LISTED: older.get(LISTED)}, format and format[2])
        listed = listed if isinstance(listed, list) else []  # what else it may be is said when all tokens are read
        special = {token for token in (*(named[name] for name in NAMES), *listed) if isinstance(token, str)}
        special |= {named[name].get("content") for name in NAMES if isinstance(named[name], dict) and name in older}
        tokens = {}
        for text, identity in self._json(file).items():
            if type(identity) is not int or identity < 0:
                raise self._wrong(text, identity, "the token's id, a whole number from 0", file)
            tokens[identity] = tokenizers.AddedToken(text, normalized=text not in special, special=text in special)
        return tokens

    def _addedToken(self, name, token, file="tokenizer_config.json", **flags):
        """(text, token) with the flags that it says."""
        text = self._token(name, token, file)
        if isinstance(token, dict):
            flags = {flag: token[flag] for flag in FLAGS if flag in token}
        if not all(isinstance(flag, bool) for flag in flags.values()):
            raise self._wrong(name, token, "flags that are true or false", file)
        return text, tokenizers.AddedToken(text, **flags)

    def _token(self, name, token, file="tokenizer_config.json"):
        """A token's text."""
        text = token.get("content") if isinstance(token, dict) else token
        if not isinstance(text, str) or not text:
            raise self._wrong(name, token, "a token's text, or an object with its content", file)
        return text

    def _wrong(self, name, value, expected, file="tokenizer_config.json"):
        path = self.directory / file
        return ZpError("Json", path, f"{name} holds {json.dumps(value)}, expected {expected}; save the tokenizer again")

    def _setFormat(self, format):
        self.templates = {}
        self.templatePlaces = {}  # the file of each that the directory has, for errors
        if not format:
            texts = self._ownTemplates()
        else:
            text, names, _ = format
            texts = {"default": text}
            self.special.update(names)
        self.texts = texts
        for name, text in texts.items():
            try:
                self.templates[name] = compileTemplate(text)
            except jinja2.TemplateError as error:
                line = getattr(error, "lineno", None)
                raise ZpError(
                    "Config",
                    f"{self.templatePlaces[name]}:{line}" if line else self.templatePlaces[name],
                    f"the chat template is not Jinja ({error}), expected a template that compiles; mend it, or choose "
                    "--chat_template_format chatml",
                ) from None

    def _setSpecial(self, config, older, format):
        """Makes special tokens what they are: matched before a text is split. A token that is named in the configuration is one,
        whatever the vocabulary."""
        plain = {"special": True, "normalized": False}
        given = format[1] if format else {}
        named = [self._addedToken(n, given.get(n) or self.config[n], fileOf(n, older), **plain) for n in NAMES if n in self.special]
        own = [(n, *self._addedToken(n, token, fileOf(n, older), **plain)) for n, token in ownTokens(config, older).items()]
        for *_, token in named + own:
            token.special = True
        self.own = {name: text for name, text, _ in own}
        for name, kinds, expected in LISTINGS:
            for source, file in ((config, "tokenizer_config.json"), (older, "special_tokens_map.json")):
                listed = source.get(name) or []
                if not isinstance(listed, kinds):
                    raise self._wrong(name, listed, expected, file)
                for token in listed if isinstance(listed, list) else ():
                    self._addedToken(name, token, file)
        further = [self._addedToken("extra_special_tokens", token, **plain) for token in furtherTokens(config, older, format and format[2])]
        self.further = [text for text, _ in further]
        # The reference's order: those with a role, the model's own, the others. Of equals that are new the last says how it is matched.
        self.added = self._addMissing(named + [pair for _, *pair in own] + further)
        missed = [token for token in format[2] if token not in self.further] if format else []
        if missed and any(self.core.token_to_id(token) is None for token in missed):
            warn(
                f"the tokenizer in {self.directory} lists extra_special_tokens, so, as in the reference, the format's own "
                f"({', '.join(missed)}) are no tokens; add them to the list"
            )
        self.core.encode_special_tokens = bool(config.get("split_special_tokens"))

    def _addMissing(self, tokens):
        """Adds those of (text, token) pairs that aren't matched before the text is split yet; returns (text, id) of those that got a new id."""
        known = {token.content for token in self.core.get_added_tokens_decoder().values()}
        tokens = {text: token for text, token in tokens if text not in known}
        missing = [text for text in tokens if self.core.token_to_id(text) is None]
        self.core.add_tokens(list(tokens.values()))
        return [(text, self.core.token_to_id(text)) for text in missing]

    def _ownTemplates(self):
        """chat_template.jinja wins over the entry in tokenizer_config.json, which is a text or a list of named
        ones."""
        texts = {}
        entry, place = self.config.get("chat_template"), f"{self.directory / 'tokenizer_config.json'}: chat_template"
        if isinstance(entry, str):
            texts["default"] = entry
        elif isinstance(entry, list):
            if not all(isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("template"), str) for item in entry):
                raise ZpError("Config", place, "is a list, expected objects with a name and a template each; save the tokenizer again")
            texts.update({item["name"]: item["template"] for item in entry})
        self.templatePlaces = dict.fromkeys(texts, place)
        files = {"default": self.directory / "chat_template.jinja"}
        files.update((f.stem, f) for f in sorted((self.directory / "additional_chat_templates").glob("*.jinja")))
        for name, file in files.items():
            if not file.exists():
                continue
            try:
                texts[name] = file.read_text(encoding="utf-8")
            except OSError as error:
                raise readError(file, error) from None
            except UnicodeDecodeError as error:
                raise ZpError("Config", file, f"is not UTF-8 text (byte {error.start}), expected a template; save it again") from None
            self.templatePlaces[name] = file
        return texts

    def _json(self, name):
        path = self.directory / name
        if not path.exists():
            return {}
        try:
            value = json.loads(path.read_bytes())
        except OSError as error:
            raise readError(path, error) from None
        except ValueError as error:
            raise ZpError("Json", path, f"is not JSON ({error}); save the tokenizer again") from None
        except RecursionError:
            raise ZpError("Json", path, "is nested too deep, expected an object; save the tokenizer again") from None
        if not isinstance(value, dict):
            raise ZpError(
                "Json", path, f"holds a {type(value).__name__}, expected an object; save the tokenizer again"
            )
        return value

    def warnAboutEmbeddings(self, largest):
        """Says so when `largest`, the greatest token id in use, is beyond the embeddings of the model beside it."""
        rows = self.modelConfig().get("vocab_size")
        if isinstance(rows, int) and largest >= rows:
            names = ", ".join(token for token, _ in self.added) or "some"
            warn(
                f"token ids go up to {largest} but the model in {self.directory} has {rows} rows of embeddings, so "
                f"zprun will refuse this file (new tokens: {names}); make a model that has them: "
                f"zprun resize --model {self.directory} --vocab_size {largest + 1} -o NEW"
            )


def withoutBlanks(text):
    """Signs and English endings joined to the word before them: the reference's replacements, in its order."""
    for sign in (".", "?", "!", ","):
        text = text.replace(" " + sign, sign)
    text = text.replace(" ' ", "'")
    for ending in ("n't", "'m", "'s", "'ve", "'re"):
        text = text.replace(" " + ending, ending)
    return text


def fileOf(name, older):
    """Which file says what a token is, for errors."""
    return "special_tokens_map.json" if name in older else "tokenizer_config.json"


def tokenText(token):
    return token["content"] if isinstance(token, dict) else token

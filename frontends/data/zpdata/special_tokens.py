"""The special tokens that a tokenizer's configuration lists beside those with a role (bos_token and so on), as transformers 5
finds them: those that a model names itself, and those without a name."""

NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
LISTED = "extra_special_tokens"  # until transformers 5 additional_special_tokens


def ownTokens(config, older):
    """Name -> token: `image_token` and its like, and the entries of a listing that is an object. `older` is what
    special_tokens_map.json says, or nothing where it isn't read."""
    own = {name: token for name, token in config.items() if isOwn(name) and isAdded(token)}
    own.update({name: token for name, token in older.items() if isOwn(name) and isinstance(token, (str, dict))})
    own.update({name: token for name, token in config.items() if isOwn(name) and isinstance(token, str)})
    for source in (config, older):
        if isinstance(source.get(LISTED), dict):
            own.update(source[LISTED])
    return {name: token for name, token in own.items() if token}


def furtherTokens(config, older, given=None):
    """Tokens without a name. What a configuration lists under the one name wins over what is `given` (a chat format's) and over
    what it lists under the older one."""
    listed = config.get(LISTED)
    if not listed or isinstance(listed, dict):
        listed = config.get("additional_special_tokens") if given is None else given
    more = older.get(LISTED)
    if isinstance(more, list):
        listed = [*(listed or []), *more] if isinstance(listed or [], list) else listed
    return (older.get("additional_special_tokens") if listed is None else listed) or []


def isOwn(name):
    return name.endswith("_token") and name not in NAMES


def isAdded(token):
    """Whether it is an object that tokenizer_config.json has for a token."""
    return isinstance(token, dict) and token.get("__type") == "AddedToken"

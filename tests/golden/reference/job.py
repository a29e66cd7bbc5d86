"""What both references share: the model and adapter of a case, its rows, and the shape of a result."""

import json
from dataclasses import dataclass

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, set_seed

from . import encoder_decoders, four_bit
from . import settings as settings_of_case


@dataclass
class Result:
    steps: list  # {step, loss, grad_norm, learning_rate, epoch} per update, in fp16 {loss_scale, skipped_steps} too
    initial: dict  # trained tensors before the first update
    final: dict  # and after the last, fp32, keyed as they are saved


class Job:
    """A case made ready to train. `attention` and `dtype` other than the default measure the reference's own noise."""

    def __init__(self, case, attention=None, dtype=None):
        self.settings = settings_of_case.read(case.import_flags)
        self.full = not self.settings.use_peft_lora
        narrow = torch.bfloat16 if self.settings.bf16 else torch.float16 if self.settings.fp16 else None
        compute = narrow or torch.float32
        attention = case.attention or attention or ("sdpa" if narrow else "eager")
        self.tokens = load_file(case.tokens)
        self.seq2seq = "source_ids" in self.tokens
        kind = AutoModelForSeq2SeqLM if self.seq2seq else AutoModelForCausalLM
        self.model = load_base(case, self.settings, attention, compute, kind)
        if dtype:
            four_bit.to_floats(self.model)
        if self.full:
            pass
        elif case.adapter:
            self.model = PeftModel.from_pretrained(self.model, str(case.adapter), is_trainable=True)
        else:
            set_seed(self.settings.seed)  # the recipe of a fresh adapter: seeded immediately before it is made
            task = "SEQ_2_SEQ_LM" if self.seq2seq else "CAUSAL_LM"
            self.model = get_peft_model(self.model, fresh_config(self.settings, task))
        if dtype:
            self.model.to(dtype)
        self.model.train()

    def rows(self, indices):
        """The model's arguments for these rows. Without an attention mask transformers isolates the documents of a row,
        starting a new one wherever the positions don't run on; with a mask of ones it isolates nothing."""
        if self.seq2seq:
            return encoder_decoders.arguments(self.tokens, indices)
        picked = {name: tensor[indices].long() for name, tensor in self.tokens.items()}
        segments, positions = picked.pop("segment_ids"), picked["position_ids"]
        real = segments[:, 1:] >= 0
        restart = (positions.diff(dim=1) != 1) & real
        boundary = (segments.diff(dim=1) != 0) & real
        if not torch.equal(restart, boundary):
            if boundary.any():
                raise ValueError("positions and segments disagree: the reference can't express these rows")
            picked["attention_mask"] = torch.ones_like(segments)
        if (segments[:, 0] < 0).any():  # padded on the left: real tokens must be told not to look there
            picked["attention_mask"] = (segments >= 0).long()
        return picked

    def counted(self, micro):
        """The labels of a micro-batch that are predicted: a decoder alone predicts each from the tokens before it."""
        return (micro["labels"][:, 0 if self.seq2seq else 1 :] != -100).sum()

    def loss(self, micro, items):
        """The sum of the token losses over `items`. An encoder-decoder's own loss is the mean over the micro-batch; in fp16 it
        would be taken of fp16 and rounded to it, where its scale is infinite: there logits become fp32 first, as other models'."""
        if self.seq2seq:
            outputs = self.model(**micro)
            if self.settings.fp16:
                logits, labels = outputs.logits.float().flatten(0, 1), micro["labels"].flatten()
                return torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / items
            return outputs.loss * (self.counted(micro) / items)
        return self.model(**micro, num_items_in_batch=items).loss

    def trained(self):
        """A copy of the trained tensors in fp32, keyed as PEFT (or, training everything, transformers) saves them."""
        state = (
            self.model.state_dict() if self.full else get_peft_model_state_dict(self.model, save_embedding_layers=False)
        )
        if self.full and self.model.config.tie_word_embeddings:
            for alias in ("lm_head.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"):
                for name in (alias, f"model.{alias}"):
                    state.pop(name, None)
        return {name: tensor.detach().float().clone().contiguous() for name, tensor in state.items()}


def load_base(case, settings, attention, compute, kind=AutoModelForCausalLM):
    """The base model as the job trains on it: in 4 bits when the settings or the directory's config.json say so."""
    model = kind.from_pretrained(
        case.model, dtype=compute, attn_implementation=attention, **four_bit.load_arguments(settings)
    )
    four_bit.prepare(model)
    model.config.use_cache = False
    return model


def fresh_config(settings, task):
    """Of every flag that says what a fresh adapter is."""

    def modules(text):
        """None, "all-linear", one regular expression or a list, as zpc reads these flags."""
        whole = not text or text.lower() == "all-linear" or set(text) & set("*+?()[]{}|^$\\")
        return (text or None) if whole else text.split(",")

    listed = {
        "layers_to_transform": [int(layer) for layer in settings.lora_layers_to_transform.split(",") if layer],
        "layers_pattern": [name for name in settings.lora_layers_pattern.split(",") if name],
        "modules_to_save": [name for name in settings.lora_modules_to_save.split(",") if name],
    }
    return LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=modules(settings.lora_target_modules),
        exclude_modules=modules(settings.lora_exclude_modules),
        bias=settings.lora_bias,
        use_rslora=settings.use_rslora,
        rank_pattern=json.loads(settings.lora_rank_pattern or "{}"),
        alpha_pattern=json.loads(settings.lora_alpha_pattern or "{}"),
        init_lora_weights={"true": True, "false": False}.get(settings.init_lora_weights, settings.init_lora_weights),
        task_type=task,
        **{name: values for name, values in listed.items() if values},
    )

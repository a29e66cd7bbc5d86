#!/usr/bin/env python3
"""Makes directories/: models' directories as transformers and bitsandbytes save them in 4 bits, on a CPU with one thread (README.md:
what they hold, versions).

directories.py            writes directories/
directories.py --check    makes them anew and compares every file
"""

import filecmp
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")

import bitsandbytes  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, BitsAndBytesConfig  # noqa: E402
from transformers.models.falcon import modeling_falcon  # noqa: E402

HERE = Path(__file__).parent
FOLDER = HERE / "directories"
VERSIONS = {"bitsandbytes": "0.50.2", "torch": "2.15.0", "transformers": "5.23.0"}
GOLDEN = "../../../cases/"  # of tests/golden, seen from a case's folder

# name: (model's directory, flags of `zprun quantize`)
CASES = {
    "llama_bf16": (GOLDEN + "llama_gqa_fp32/model", {"bnb_4bit_quant_type": "nf4", "use_nested_quant": "true", "dtype": "bfloat16",
                   "bnb_4bit_compute_dtype": "bfloat16", "bnb_4bit_quant_storage_dtype": "bfloat16"}),
    "llama_defaults": (GOLDEN + "llama_sharded_bf16_ckpt/model", {}),
    "llama_of_v4": ("model", {"bnb_4bit_quant_type": "fp4"}),
    "mistral_float16": (GOLDEN + "mistral_window/model", {"bnb_4bit_quant_type": "fp4", "use_nested_quant": "true", "dtype": "float16"}),
    "qwen2_shards": (GOLDEN + "qwen2_packed/model", {"bnb_4bit_quant_type": "nf4", "dtype": "float32", "max_shard_size": "14KB"}),
    "qwen3_nested": (GOLDEN + "qwen3_patterns/model", {"use_nested_quant": "true", "bnb_4bit_quant_storage_dtype": "float32"}),
    "bart_of_the_hub": ("model", {"bnb_4bit_quant_type": "fp4"}),
    "bart_untied": ("model", {"max_shard_size": "9KB"}),
    "bart_bf16": (GOLDEN + "bart_qv/model", {"bnb_4bit_quant_type": "fp4", "dtype": "bfloat16", "max_shard_size": "20KB"}),
    "bloom_nested": (GOLDEN + "bloom_norms/model", {"use_nested_quant": "true", "dtype": "bfloat16"}),
    "bloom_of_the_hub": ("model", {}),
    "falcon_nested": (GOLDEN + "falcon_groups/model", {"use_nested_quant": "true", "bnb_4bit_compute_dtype": "bfloat16", "dtype": "float16"}),
    "falcon_sequential": (GOLDEN + "falcon_sequential_bias/model", {}),
    "mt5_gated": (GOLDEN + "mt5_all_linear/model", {"use_nested_quant": "true"}),
    "t5_float16": (GOLDEN + "t5_all_linear/model", {"bnb_4bit_quant_type": "nf4", "dtype": "float16"}),
    "t5_of_v4": ("model", {"use_nested_quant": "true"}),
}


def write_model_of_v4(folder):
    """A config.json as version 4 spelled it: a dtype, rotary embedding and keys that moved or went; biases, and a head that is tied and
    saved nevertheless."""
    config = {
        "_name_or_path": "some/model", "architectures": ["LlamaForCausalLM"], "attention_bias": True, "bos_token_id": 1,
        "eos_token_id": [2, 3], "hidden_act": "silu", "hidden_size": 24, "initializer_range": 1e-05, "intermediate_size": 42,
        "max_position_embeddings": 4096, "mlp_bias": True, "model_type": "llama", "num_attention_heads": 3, "num_hidden_layers": 2,
        "num_key_value_heads": None, "note": "caf\u00e9 \u2603 \U0001d11e \x7f \"quoted\"\n", "numbers": [1, 2.5, -0.0, 1e20, 123456789.125, [], {}],
        "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "rope_type": "llama3",
        "original_max_position_embeddings": 1024}, "rope_theta": 500000, "temperature": 0.6, "tie_word_embeddings": True,
        "torch_dtype": "float16", "transformers_version": "4.43.0", "output_attentions": False, "use_cache": False, "vocab_size": 50}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    generation = {"_from_model_config": False, "bos_token_id": 1, "do_sample": True, "eos_token_id": [2, 3], "max_length": 4096,
                  "pad_token_id": None, "temperature": 0.6, "top_p": 0.9, "transformers_version": "4.43.0", "of_another_tool": None}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(transformers.LlamaConfig(**{**config, "torch_dtype": "float32"}))
    tensors = {n: torch.randn_like(p) * 0.05 for n, p in model.named_parameters()}
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file({n: t.half().contiguous() for n, t in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})


def write_model(folder, kind, config, given, rename=lambda name: name, more=lambda tensors: {}):
    """`given` as config.json beside random weights of a model of `config`, under names as a checkpoint may have them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(given, indent=2) + "\n")
    torch.manual_seed(7)
    tensors = {n: torch.randn_like(p) * 0.05 for n, p in kind(config).named_parameters()}
    tensors |= more(tensors)
    save_file({rename(n): t.contiguous() for n, t in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})


def write_bloom_of_the_hub(folder):
    """As the hub has BLOOM: no transformer. before names, an old spelling of the width, keys of another program."""
    given = {"apply_residual_connection_post_layernorm": False, "architectures": ["BloomForCausalLM"], "attention_dropout": 0.0,
             "attention_softmax_in_fp32": True, "bias_dropout_fusion": True, "bos_token_id": 1, "eos_token_id": 2, "hidden_dropout": 0.0,
             "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "bloom", "n_embed": 24, "n_inner": None,
             "num_attention_heads": 3, "n_layer": 2, "offset_alibi": 100, "pad_token_id": 3, "pretraining_tp": 2, "seq_length": 2048,
             "slow_but_exact": False, "torch_dtype": "float32", "transformers_version": "4.20.0", "use_cache": True, "vocab_size": 50,
             "_attn_implementation": "eager", "rope_theta": 10000.0}  # fmt: skip
    config = transformers.BloomConfig(hidden_size=24, n_head=3, n_layer=2, vocab_size=50)
    write_model(folder, transformers.BloomForCausalLM, config, given, lambda name: name.removeprefix("transformer."))


def write_bart_of_the_hub(folder):
    """As the hub has BART: the model without its head, under the names of that; aliases of the embedding, older spellings, labels."""
    given = {"_num_labels": 3, "activation_dropout": 0.1, "activation_function": "gelu", "add_bias_logits": False, "add_final_layer_norm": False,
             "architectures": ["BartModel"], "attention_dropout": 0.1, "bos_token_id": 0, "classif_dropout": 0.1, "classifier_dropout": 0.0,
             "d_model": 24, "decoder_attention_heads": 3, "decoder_ffn_dim": 36, "decoder_layerdrop": 0.0, "decoder_layers": 1,
             "decoder_start_token_id": 2, "dropout": 0.1, "early_stopping": True, "encoder_attention_heads": 3, "encoder_ffn_dim": 36,
             "encoder_layerdrop": 0.0, "encoder_layers": 1, "eos_token_id": 2, "forced_bos_token_id": 0, "forced_eos_token_id": 2,
             "gradient_checkpointing": False, "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}, "init_std": 0.02,
             "is_encoder_decoder": True, "label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}, "max_position_embeddings": 14,
             "model_type": "bart", "no_repeat_ngram_size": 3, "normalize_before": False, "num_beams": 4, "num_hidden_layers": 1, "pad_token_id": 1,
             "scale_embedding": False, "task_specific_params": {"summarization": {"num_beams": 4}}, "torch_dtype": "float32",
             "transformers_version": "4.7.0.dev0", "use_cache": True, "vocab_size": 50}  # fmt: skip
    config = transformers.BartConfig(**{k: given[k] for k in ("d_model", "decoder_attention_heads", "decoder_ffn_dim", "decoder_layers",
                                                               "encoder_attention_heads", "encoder_ffn_dim", "encoder_layers",
                                                               "max_position_embeddings", "vocab_size")})  # fmt: skip

    def more(tensors):
        return {f"{stack}.embed_tokens.weight": tensors["shared.weight"].clone() for stack in ("encoder", "decoder")}

    write_model(folder, transformers.BartModel, config, given, more=more)


def write_bart_untied(folder):
    """A head of its own, as the word for it is not tied: then the embeddings of the stacks are saved, too, which are the shared one here."""
    config = transformers.BartConfig(vocab_size=50, d_model=24, encoder_layers=1, decoder_layers=1, encoder_attention_heads=3, decoder_attention_heads=3,
                                     encoder_ffn_dim=36, decoder_ffn_dim=36, max_position_embeddings=14, tie_word_embeddings=False)  # fmt: skip
    given = {**config.to_dict(), "architectures": ["BartForConditionalGeneration"], "dtype": "float32"}

    def more(tensors):
        return {f"model.{stack}.embed_tokens.weight": tensors["model.shared.weight"].clone() for stack in ("encoder", "decoder")}

    write_model(folder, transformers.BartForConditionalGeneration, config, given, more=more)


def write_t5_of_v4(folder):
    """As version 4 wrote T5 1.1: a head of its own, whatever the class says, aliases of the embedding, task_specific_params."""
    given = {"architectures": ["T5ForConditionalGeneration"], "d_ff": 36, "d_kv": 8, "d_model": 24, "decoder_start_token_id": 0, "dropout_rate": 0.1,
             "eos_token_id": 1, "feed_forward_proj": "gated-gelu", "initializer_factor": 1.0, "is_encoder_decoder": True, "layer_norm_epsilon": 1e-06,
             "model_type": "t5", "num_decoder_layers": 1, "num_heads": 3, "num_layers": 2, "output_past": True, "pad_token_id": 0,
             "relative_attention_num_buckets": 8, "task_specific_params": {"summarization": {"max_length": 20, "num_beams": 4, "prefix": "s: "}},
             "tie_word_embeddings": False, "torch_dtype": "float32", "transformers_version": "4.23.1", "use_cache": True, "vocab_size": 50}  # fmt: skip
    config = transformers.T5Config(**{k: given[k] for k in ("d_ff", "d_kv", "d_model", "num_heads", "num_layers", "num_decoder_layers", "vocab_size",
                                                             "relative_attention_num_buckets", "feed_forward_proj")})  # fmt: skip

    def more(tensors):
        shared = tensors["shared.weight"]
        return {"lm_head.weight": torch.randn_like(shared), **{f"{stack}.embed_tokens.weight": shared.clone() for stack in ("encoder", "decoder")}}

    write_model(folder, transformers.T5ForConditionalGeneration, config, given, more=more)


def quantize(model, flags, output):
    # transformers 4 quantises Falcon's linears, which are a class of their own; 5.23 takes plain ones alone, and so none of them.
    modeling_falcon.FalconLinear = torch.nn.Linear
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=flags.get("bnb_4bit_quant_type", "nf4"),
        bnb_4bit_use_double_quant=flags.get("use_nested_quant") == "true",
        bnb_4bit_quant_storage=flags.get("bnb_4bit_quant_storage_dtype"),
        bnb_4bit_compute_dtype=flags.get("bnb_4bit_compute_dtype"),
    )
    dtype = {"dtype": getattr(torch, flags["dtype"])} if "dtype" in flags else {}
    pairs = json.loads((model / "config.json").read_text())["model_type"] in ("bart", "t5", "mt5")
    loaded = (AutoModelForSeq2SeqLM if pairs else AutoModelForCausalLM).from_pretrained(model, quantization_config=config, **dtype)
    loaded.save_pretrained(output, **({"max_shard_size": flags["max_shard_size"]} if "max_shard_size" in flags else {}))


def make(root):
    write_model_of_v4(root / "llama_of_v4/model")
    write_bloom_of_the_hub(root / "bloom_of_the_hub/model")
    write_bart_of_the_hub(root / "bart_of_the_hub/model")
    write_bart_untied(root / "bart_untied/model")
    write_t5_of_v4(root / "t5_of_v4/model")
    for name, (model, flags) in CASES.items():
        folder = root / name
        folder.mkdir(exist_ok=True)
        (folder / "case.json").write_text(json.dumps({"model": model, "flags": flags}, indent=2) + "\n")
        quantize((FOLDER if model.startswith("..") else root) / name / model, flags, folder / "quantized")
        for path in folder.rglob("*.safetensors"):
            path.chmod(0o644)


def files_of(root):
    return sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())


def main():
    found = {m.__name__: m.__version__.split("+")[0] for m in (bitsandbytes, torch, transformers)}
    if found != VERSIONS:
        sys.exit(f"versions are {found}, expected {VERSIONS}")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        for name in CASES:  # so that paths from a case's folder lead to its model
            (FOLDER / name).mkdir(parents=True, exist_ok=True)
        make(fresh)
        if "--check" not in sys.argv:
            shutil.rmtree(FOLDER)
            shutil.copytree(fresh, FOLDER)
            print(f"{FOLDER}: {sum(p.stat().st_size for p in FOLDER.rglob('*') if p.is_file())} bytes")
            return
        wrong = set(files_of(fresh)) ^ set(files_of(FOLDER))
        wrong |= {f for f in set(files_of(fresh)) & set(files_of(FOLDER)) if not filecmp.cmp(fresh / f, FOLDER / f, shallow=False)}
    sys.exit(f"{sorted(map(str, wrong))} differ" if wrong else 0)


if __name__ == "__main__":
    main()

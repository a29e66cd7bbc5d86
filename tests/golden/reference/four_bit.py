"""The 4-bit side of the reference: how transformers is asked for it, and the same weights dequantised by the format's
rule, apart from bitsandbytes' kernels (on some CPUs those read the scales of another block)."""

import shutil

import torch
from bitsandbytes.nn import Linear4bit
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.models.falcon import modeling_falcon


def load_arguments(settings):
    """What from_pretrained takes beside the model for these settings; a directory that is quantised already says so itself."""
    if not settings.use_4bit_quantization:
        return {}
    # transformers 4 quantises Falcon's linears, which are a class of their own; 5.23 takes plain ones alone, and so none of them.
    modeling_falcon.FalconLinear = torch.nn.Linear
    skipped = settings.bnb_4bit_skip_modules.split(",") if settings.bnb_4bit_skip_modules else []
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.bnb_4bit_quant_type,
        bnb_4bit_use_double_quant=settings.use_nested_quant,
        bnb_4bit_compute_dtype="bfloat16" if settings.bf16 else "float16" if settings.fp16 else "float32",
        bnb_4bit_quant_storage=settings.bnb_4bit_quant_storage_dtype,
        # A list stands in place of the default, which is the head.
        llm_int8_skip_modules=[*skipped, "lm_head"] if skipped else None,
    )
    return {"quantization_config": config}


def prequantise(folder, arguments):
    """Puts in place of a model directory the one that transformers saves of it in 4 bits."""
    floats = folder.with_name(folder.name + ".floats")
    folder.rename(floats)
    config = BitsAndBytesConfig(load_in_4bit=True, **arguments)
    model = AutoModelForCausalLM.from_pretrained(floats, dtype=torch.float32, quantization_config=config)
    model.save_pretrained(folder)
    shutil.rmtree(floats)


def layers_of(model):
    return {name: module for name, module in model.named_modules() if isinstance(module, Linear4bit)}


def flat_weight(layer):
    """The weight by the rule: element i of the flattened matrix is table[code i] · scale of block i / block size."""
    state = layer.weight.quant_state
    packed = layer.weight.data.contiguous().view(torch.uint8).flatten()
    codes = torch.stack([packed >> 4, packed & 15], dim=1).flatten()[: state.shape.numel()].long()
    scales = state.absmax
    if state.nested:
        groups = torch.arange(len(scales)) // state.state2.blocksize
        scales = state.state2.code[scales.long()] * state.state2.absmax[groups] + state.offset
    blocks = torch.arange(len(codes)) // state.blocksize
    return (state.code[codes] * scales[blocks]).to(layer.compute_dtype).view(state.shape)


def prepare(model):
    """Holds the layers to the kernels that train, and checks that on this CPU they multiply by the right weights, forward and
    backward."""
    for name, layer in layers_of(model).items():
        layer.support_avx512bf16_for_cpu = False  # its inference kernel would repack the layer for good
        rows, weight = max(layer.in_features, layer.out_features), flat_weight(layer)
        unit = torch.eye(rows, layer.in_features, dtype=layer.compute_dtype, requires_grad=True)
        bias, layer.bias = layer.bias, None
        product = layer.train()(unit)
        layer.bias = bias
        product.backward(torch.eye(rows, layer.out_features, dtype=layer.compute_dtype))
        forward, backward = product[: layer.in_features].T, unit.grad[: layer.out_features]
        if not (torch.equal(forward, weight) and torch.equal(backward, weight)):
            raise RuntimeError(f"{name}: bitsandbytes multiplies by other weights on this CPU: choose other sizes")


def to_floats(model):
    """Plain linears with the dequantised weights in place of the 4-bit ones."""
    for name, layer in layers_of(model).items():
        plain = torch.nn.Linear(layer.in_features, layer.out_features, layer.bias is not None)
        plain.weight = torch.nn.Parameter(flat_weight(layer), requires_grad=False)
        if layer.bias is not None:
            plain.bias = layer.bias
        model.set_submodule(name, plain)
    model.is_loaded_in_4bit = model.is_quantized = False
    model.__dict__.pop("quantization_method", None)

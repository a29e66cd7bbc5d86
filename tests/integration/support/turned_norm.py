"""A model that doesn't repeat itself: where the head is the embedding, random weights say the last token again and again."""

from safetensors.numpy import load_file, save_file

LAST = ("model.norm.weight", "decoder.final_layer_norm.weight", "transformer.ln_f.weight", "model.decoder.layers.{}.final_layer_norm.weight")


def turn_last_norm(folder):
    """Turns the sign of every second column of the weight of the norm before the head. The directory's model.safetensors is written
    anew."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    names = [name.format(layer) for name in LAST for layer in range(8)]
    last = [name for name in dict.fromkeys(names) if name in weights][-1]
    weights[last] = weights[last].copy()
    weights[last][1::2] *= -1
    save_file(weights, path, {"format": "pt"})

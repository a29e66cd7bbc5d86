// One score at a time: what the oracles of attention and of its gradient share.
#ifndef ZP_RUNTIME_KERNELS_ATTENTION_REFERENCE_H
#define ZP_RUNTIME_KERNELS_ATTENTION_REFERENCE_H

#include "runtime/base/numeric.h"
#include "runtime/kernels/attention/dropout_counter.h"
#include "runtime/kernels/attention/visible.h"
#include "runtime/kernels/philox.h"
#include "runtime/schema/step_scalars.h"

namespace zp::rt::reference {

/// The query at place i of a row and the key at place j of its row, of one head.
template <typename Args> struct Pair {
  const Args &args;
  int64_t head, row, i, j;

  int64_t token() const { return row * args.length + i; }
  int64_t keyToken() const { return row * args.keyLength + j; }
  int64_t headDim() const { return args.query.dims[1] / args.heads; }
  /// Elements of query (and of what has its shape), of key (and value), and of the bias.
  int64_t query() const { return (token() * args.heads + head) * headDim(); }
  int64_t key() const { return (keyToken() * args.kvHeads + head / (args.heads / args.kvHeads)) * headDim(); }
  int64_t bias() const {
    return args.biasByDistance ? head * (args.length + args.keyLength - 1) + j - i + args.length - 1 : head * args.key.dims[0] + keyToken();
  }

  bool sees() const {
    const VisiblePlaces visible = AttentionMask(args).of(i);
    return j >= visible.first && j < visible.end &&
           args.segments.template as<int32_t>()[token()] == args.keySegments.template as<int32_t>()[keyToken()];
  }
  double score() const {
    double dot = 0;
    for (int64_t c = 0; c < headDim(); ++c)
      dot += loadElement(args.query, query() + c) * loadElement(args.key, key() + c);
    return args.scale * dot + (args.bias ? loadElement(args.bias, bias()) : 0);
  }
  /// What dropout makes of the probability: a factor of it.
  double kept() const {
    if (!args.scalars)
      return 1;
    const StepScalars &scalars = *args.scalars.template as<StepScalars>();
    const auto words = philox4x32({dropoutCounter(i) + static_cast<uint32_t>(j / kKeysPerCounter), scalars.rowBase + static_cast<uint32_t>(row),
                                   static_cast<uint32_t>(args.site + head), scalars.optimizerStep},
                                  {static_cast<uint32_t>(scalars.seed), static_cast<uint32_t>(scalars.seed >> 32)});
    return words[static_cast<size_t>(j % kKeysPerCounter)] >= dropoutThreshold(args.dropout) ? 1 / (1 - args.dropout) : 0;
  }
};

} // namespace zp::rt::reference

#endif // ZP_RUNTIME_KERNELS_ATTENTION_REFERENCE_H

// Includes only.
#ifndef ZP_DIALECTS_NN_IR_NNOPS_TD
#define ZP_DIALECTS_NN_IR_NNOPS_TD
include "dialects/NN/IR/NNParamOps.td"
include "dialects/NN/IR/NNLinearOps.td"
include "dialects/NN/IR/NNElementwiseOps.td"
include "dialects/NN/IR/NNNormOps.td"
include "dialects/NN/IR/NNAttentionOps.td"
include "dialects/NN/IR/NNCacheOps.td"
include "dialects/NN/IR/NNLossOps.td"
include "dialects/NN/IR/NNOptimizerOps.td"
#endif // ZP_DIALECTS_NN_IR_NNOPS_TD

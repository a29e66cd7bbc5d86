// Includes only.
#ifndef ZP_DIALECTS_ZERO_IR_ZEROOPS_TD
#define ZP_DIALECTS_ZERO_IR_ZEROOPS_TD
include "dialects/Zero/IR/ZeroPartitionOps.td"
include "dialects/Zero/IR/ZeroCollectiveOps.td"
#endif // ZP_DIALECTS_ZERO_IR_ZEROOPS_TD

#include "runtime/tools/zprun/zprun.h"

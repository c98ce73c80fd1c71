#include "sepal/machine/machine.h"

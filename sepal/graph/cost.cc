#include "sepal/graph/cost.h"

#include "sepal/graph/conv_layer.h"

#include "sepal/zoo/zoo.h"

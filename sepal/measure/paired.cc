#include "sepal/measure/paired.h"

#include "sepal/measure/roofline.h"

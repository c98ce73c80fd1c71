#include "sepal/report/document.h"

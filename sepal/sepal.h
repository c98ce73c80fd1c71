#pragma once

/// \file
/// The public API of Sepal in one include.

#include "sepal/base/error.h"
#include "sepal/formats/image.h"
#include "sepal/formats/npy.h"
#include "sepal/model/layers.h"
#include "sepal/model/model.h"
#include "sepal/tensor/convert.h"
#include "sepal/tensor/tensor.h"
#include "sepal/version.h"

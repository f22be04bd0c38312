// What the images of a layout consist of, for a garbage collection.
#pragma once

#include "blob/garbage.h"
#include "core/result.h"
#include "image/layout.h"

namespace cloche::image {

// Names every blob of every image that index.json lists, with "image NAME", once for each image.
// Documents are read generously: whatever looks like a descriptor counts, also of kinds that are
// not known here (artifacts, signatures), and what an index lists need not be there. kCorrupt:
// index.json or a document that is there cannot be read, so that it is not known what it needs.
Status visit_images(const Layout& layout, const blob::Keep& keep);

}  // namespace cloche::image

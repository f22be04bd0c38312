// Generated environments for the properties of every module (RapidCheck).
#pragma once

#include "definition/environment.h"

namespace rc {
template <class T>
class Gen;
}

namespace cloche::definition {

// Whatever the types can hold, as far as stored forms promise to keep it: texts are any bytes,
// context files form a tree. Most of these no parser would make.
rc::Gen<Definition> any_definition();
rc::Gen<Environment> any_environment();

// What a parser makes: names, specs, pip lines, apt packages, Dockerfiles and contexts that are
// valid, so that every writer's output can be read again.
rc::Gen<Definition> valid_definition();
rc::Gen<Environment> valid_environment();

// The same with every location empty, and no note of where a context was read: what is left is what
// a written form can give back.
Environment without_places(Environment environment);

}  // namespace cloche::definition

namespace cloche {}

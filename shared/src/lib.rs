//! What every port-jobs executable shares.

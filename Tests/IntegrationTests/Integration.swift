import TestSupport
import Testing

/// Everything that needs PostgreSQL: one server for all, a database per test.
@Suite(.server) enum Integration {}

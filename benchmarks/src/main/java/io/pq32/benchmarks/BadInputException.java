package io.pq32.benchmarks;

/** What the caller gave cannot be used; the message alone is shown, no stack trace. */
final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadInputException(String message) {
    super(message);
  }
}

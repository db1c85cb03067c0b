package io.pq32.lucene;

import java.util.random.RandomGenerator;

/** Choices from bytes, as few of them for each as its range needs, and zero after the last. */
final class ByteChoices implements RandomGenerator {
  private final byte[] bytes;
  private int next;

  ByteChoices(byte[] bytes) {
    this.bytes = bytes;
  }

  private int nextByte() {
    return next < bytes.length ? bytes[next++] & 0xFF : 0;
  }

  @Override
  public int nextInt(int bound) {
    long choice = nextByte();
    for (int range = bound - 1 >>> 8; range > 0; range >>>= 8) {
      choice = choice << 8 | nextByte();
    }
    return (int) (choice % bound);
  }

  @Override
  public void nextBytes(byte[] target) {
    for (int i = 0; i < target.length; i++) {
      target[i] = (byte) nextByte();
    }
  }

  @Override
  public long nextLong() {
    byte[] eight = new byte[Long.BYTES];
    nextBytes(eight);
    long value = 0;
    for (byte b : eight) {
      value = value << 8 | b & 0xFF;
    }
    return value;
  }
}

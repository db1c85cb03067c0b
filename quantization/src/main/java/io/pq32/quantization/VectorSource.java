package io.pq32.quantization;

import java.io.IOException;

/** The vectors a quantizer is trained on, by ordinal. Used by one thread at a time. */
public interface VectorSource {
  /** How many vectors there are. */
  int size();

  /** Copies vector {@code ord} to {@code target[offset..]}. */
  void copy(int ord, float[] target, int offset) throws IOException;
}

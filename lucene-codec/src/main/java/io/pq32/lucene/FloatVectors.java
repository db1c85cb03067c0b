package io.pq32.lucene;

import io.pq32.quantization.VectorSource;
import java.io.IOException;
import java.util.AbstractList;
import java.util.List;
import org.apache.lucene.index.FloatVectorValues;

/**
 * Lucene's float vectors as the quantizer takes them.
 *
 * @param values by ordinal; used by one thread at a time
 */
record FloatVectors(FloatVectorValues values) implements VectorSource {
  /**
   * Vectors that a writer still buffers.
   *
   * @param newToOld old ordinal of each new one where an index sort moves documents, else null
   */
  static FloatVectors buffered(List<float[]> vectors, int[] newToOld, int dimension) {
    List<float[]> ordered =
        newToOld == null
            ? vectors
            : new AbstractList<>() {
              @Override
              public float[] get(int ord) {
                return vectors.get(newToOld[ord]);
              }

              @Override
              public int size() {
                return newToOld.length;
              }
            };
    return new FloatVectors(FloatVectorValues.fromFloats(ordered, dimension));
  }

  @Override
  public int size() {
    return values.size();
  }

  @Override
  public void copy(int ord, float[] target, int offset) throws IOException {
    float[] vector = values.vectorValue(ord);
    System.arraycopy(vector, 0, target, offset, vector.length);
  }
}

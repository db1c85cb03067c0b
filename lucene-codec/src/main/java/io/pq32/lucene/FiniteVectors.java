package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.KnnFieldVectorsWriter;
import org.apache.lucene.codecs.hnsw.FlatFieldVectorsWriter;
import org.apache.lucene.index.FieldInfo;

/** Passes on the vectors of a field, and rejects one that is not finite before it is buffered. */
final class FiniteVectors extends KnnFieldVectorsWriter<float[]> {
  /** Of all numbers without a sign, only NaNs have larger bits. */
  private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  private final FieldInfo field;
  private final FlatFieldVectorsWriter<float[]> out;

  FiniteVectors(FieldInfo field, FlatFieldVectorsWriter<float[]> out) {
    this.field = field;
    this.out = out;
  }

  @Override
  public void addValue(int docID, float[] vector) throws IOException {
    require(field.name, vector);
    out.addValue(docID, vector);
  }

  @Override
  public float[] copyValue(float[] vector) {
    return out.copyValue(vector);
  }

  @Override
  public long ramBytesUsed() {
    return out.ramBytesUsed();
  }

  /** Throws when a value is NaN or infinite, naming field, position and value. */
  static void require(String field, float[] vector) {
    int greatest = 0;
    for (float value : vector) { // without a branch: the compiler makes it one of many at a time
      greatest = Math.max(greatest, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
    }
    if (greatest < INFINITY) {
      return;
    }
    for (int i = 0; i < vector.length; i++) {
      if (!Float.isFinite(vector[i])) {
        throw new IllegalArgumentException(
            "field \""
                + field
                + "\": vector value at position "
                + i
                + " is not finite: "
                + vector[i]);
      }
    }
  }
}

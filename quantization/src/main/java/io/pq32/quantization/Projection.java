package io.pq32.quantization;

import java.util.Arrays;

/**
 * How do vectors get into the space of the sub-quantizers? By a matrix of integers with a scale per
 * component, as it is stored.
 *
 * <p>A single query is projected by the integers. Batches are projected by floats, which take a
 * third less of the processor where one load serves four vectors; they are made for the first
 * batch, because a node that only searches needs none. The two ways differ by rounding, so vectors
 * that are encoded always take the second: their codes do not depend on what else is in the batch.
 */
final class Projection {
  private static final int GREATEST = CompactForm.greatest(CompactForm.PROJECTION_BITS);

  private final short[] integers; // [dimension][projectedDimension]
  private final float[] componentScales; // [projectedDimension], each what GREATEST stands for
  private final float unit; // power of two near what 1 stands for in the largest component
  private final float[] unitScales; // [projectedDimension], each what 1 stands for, in units
  private volatile float[] matrix; // [dimension][projectedDimension], null before the first batch

  Projection(short[] integers, float[] componentScales) {
    this.integers = integers;
    this.componentScales = componentScales;
    float greatest = 0;
    for (float scale : componentScales) {
      greatest = Math.max(greatest, Math.abs(scale));
    }
    // Integers alone would take large vectors out of the range of a float.
    int exponent = Math.getExponent(greatest) - CompactForm.PROJECTION_BITS + 1;
    this.unit = Math.scalb(1f, Math.max(exponent, Float.MIN_EXPONENT));
    this.unitScales = new float[componentScales.length];
    for (int column = 0; column < unitScales.length; column++) {
      unitScales[column] = (float) ((double) componentScales[column] / GREATEST / unit);
    }
  }

  /** Element {@code i} of {@code [dimension][projectedDimension]}. */
  float value(int i) {
    return (float) ((double) integers[i] * componentScales[i % componentScales.length] / GREATEST);
  }

  /** Components are orthogonal and of one length, which the unit of the training data sets. */
  double squaredComponentLength() {
    double sum = 0;
    for (int i = 0; i < integers.length; i++) {
      sum += (double) value(i) * value(i);
    }
    return sum / Math.min(integers.length / componentScales.length, componentScales.length);
  }

  /** Projects {@code vector [dimension]} to {@code out [projectedDimension]}. */
  void one(float[] vector, float[] out) {
    int columns = componentScales.length;
    PqKernels.instance()
        .multiplyIntegers(
            vector, 0, unit, integers.length / columns, integers, columns, unitScales, out, 0);
  }

  /** Projects {@code vectors [count][dimension]} to {@code out [count][projectedDimension]}. */
  void batch(float[] vectors, int count, float[] out) {
    int columns = componentScales.length;
    Arrays.fill(out, 0, count * columns, 0);
    PqKernels.instance()
        .multiplyAdd(vectors, 0, count, integers.length / columns, matrix(), columns, out, 0);
  }

  /** Two threads may make it at a time: they make the same. */
  private float[] matrix() {
    float[] values = matrix;
    if (values == null) {
      values = new float[integers.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(i);
      }
      matrix = values;
    }
    return values;
  }

  /** Heap bytes of the arrays held. */
  long ramBytesUsed() {
    float[] values = matrix;
    return (long) Short.BYTES * integers.length
        + 2L * Float.BYTES * unitScales.length
        + (values == null ? 0 : (long) Float.BYTES * values.length);
  }
}

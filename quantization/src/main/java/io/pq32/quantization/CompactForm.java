package io.pq32.quantization;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Mean, projection and codebooks of a quantizer as bytes: half precision for the two large parts,
 * which are most of what a small segment stores.
 *
 * <p>The rounded values <em>are</em> the quantizer: vectors are encoded and queries projected with
 * them, so the two agree, and components stay orthogonal within a few millionths. (One byte per
 * value would halve it again, but leaves components a hundredth off the right angle.)
 *
 * <p>Layout, little endian: mean, float32 {@code [dimension]}; projection, a float32 scale per
 * component {@code [projectedDimension]}, then float16 {@code [dimension][projectedDimension]} in
 * units of the scale; codebooks, a float32 scale per row {@code [subQuantizer][subDimension]}, then
 * float16 {@code [subQuantizer][subDimension][centroid]} in units of the scale.
 *
 * @param mean {@code [dimension]}
 * @param projection {@code [dimension][projectedDimension]}
 * @param codebooks {@code [subQuantizer][subDimension][centroid]}
 */
record CompactForm(float[] mean, float[] projection, float[] codebooks) {
  private static final int K = PqKernels.CODEBOOK_SIZE;

  static int byteSize(PqLayout layout) {
    int projected = layout.projectedDimension();
    return Float.BYTES * (layout.dimension() + 2 * projected)
        + Short.BYTES * projected * (layout.dimension() + K);
  }

  static CompactForm read(PqLayout layout, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int projected = layout.projectedDimension();
    float[] mean = readFloats(in, layout.dimension(), "mean");
    float[] scales = readFloats(in, projected, "scale of component");
    float[] projection = new float[layout.dimension() * projected];
    for (int i = 0; i < projection.length; i++) {
      projection[i] = readHalf(in, "projection", i) * scales[i % projected];
    }
    scales = readFloats(in, projected, "scale of codebook row");
    float[] codebooks = new float[projected * K];
    for (int i = 0; i < codebooks.length; i++) {
      codebooks[i] = readHalf(in, "codebooks", i) * scales[i / K];
    }
    return new CompactForm(mean, projection, codebooks);
  }

  byte[] write(PqLayout layout) {
    ByteBuffer out = ByteBuffer.allocate(byteSize(layout)).order(ByteOrder.LITTLE_ENDIAN);
    int projected = layout.projectedDimension();
    writeFloats(out, mean);
    float[] scales = new float[projected];
    for (int i = 0; i < projection.length; i++) {
      scales[i % projected] = Math.max(scales[i % projected], Math.abs(projection[i]));
    }
    short[] halves = new short[projection.length];
    double[] lengths = new double[projected];
    double[] roundedLengths = new double[projected];
    for (int i = 0; i < halves.length; i++) {
      int column = i % projected;
      halves[i] = half(projection[i], scales[column]);
      double rounded = Float.float16ToFloat(halves[i]);
      double exact = scales[column] > 0 ? (double) projection[i] / scales[column] : 0;
      lengths[column] += exact * exact;
      roundedLengths[column] += rounded * rounded;
    }
    // All components keep their one length, from which distances are computed back.
    for (int column = 0; column < projected; column++) {
      if (roundedLengths[column] > 0) {
        scales[column] *= (float) Math.sqrt(lengths[column] / roundedLengths[column]);
      }
    }
    writeFloats(out, scales);
    for (short value : halves) {
      out.putShort(value);
    }
    scales = new float[projected];
    for (int i = 0; i < codebooks.length; i++) {
      scales[i / K] = Math.max(scales[i / K], Math.abs(codebooks[i]));
    }
    writeFloats(out, scales);
    for (int i = 0; i < codebooks.length; i++) {
      out.putShort(half(codebooks[i], scales[i / K]));
    }
    return out.array();
  }

  private static void writeFloats(ByteBuffer out, float[] values) {
    for (float value : values) {
      out.putFloat(value);
    }
  }

  private static short half(float value, float scale) {
    return Float.floatToFloat16(scale > 0 ? (float) ((double) value / scale) : 0);
  }

  private static float[] readFloats(ByteBuffer in, int count, String what) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = finite(in.getFloat(), what, i);
    }
    return values;
  }

  private static float readHalf(ByteBuffer in, String what, int i) {
    return finite(Float.float16ToFloat(in.getShort()), what, i);
  }

  private static float finite(float value, String what, int i) {
    if (!Float.isFinite(value)) {
      throw new IllegalArgumentException(what + " " + i + " is " + value);
    }
    return value;
  }
}

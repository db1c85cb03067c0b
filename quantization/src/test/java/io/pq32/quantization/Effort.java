package io.pq32.quantization;

/** How much of a test is run? A little in every build, all of it with {@code -Dtests.long}. */
public final class Effort {
  private static final boolean LONG = Boolean.getBoolean("tests.long");

  private Effort() {}

  public static int of(int everyBuild, int longForm) {
    return LONG ? longForm : everyBuild;
  }
}

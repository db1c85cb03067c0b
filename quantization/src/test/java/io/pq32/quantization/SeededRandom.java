package io.pq32.quantization;

import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Gives a test its randomness: a {@link Random} parameter, seeded anew for every run and printed
 * when the test fails.
 *
 * <p>Annotate the class with {@code @ExtendWith(SeededRandom.class)}. Each test, and each
 * invocation of a parametrized one, has its own generator, derived from one seed per JVM and from
 * the test's identity: a test run alone sees the numbers it saw among all others. The seed is the
 * same in every run, so that a red build means a changed program; {@code -Dtests.random} looks for
 * numbers that fail, {@code -Dtests.seed=HEX} repeats them. (Lucene reads the latter too, and can
 * do so only if it is a number.)
 */
public final class SeededRandom implements ParameterResolver, TestWatcher {
  private static final String PROPERTY = "tests.seed";
  private static final long DEFAULT_SEED = 0x5051_3332L;
  private static final long SEED =
      Boolean.getBoolean("tests.random")
          ? new SplittableRandom().nextLong()
          : seed(System.getProperty(PROPERTY, ""));

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Random.class;
  }

  @Override
  public Random resolveParameter(ParameterContext parameter, ExtensionContext context) {
    // The identity is also the key: a store inherits from that of the class, whose @BeforeAll may
    // have drawn from a generator of its own.
    return context
        .getStore(ExtensionContext.Namespace.create(SeededRandom.class))
        .getOrComputeIfAbsent(
            context.getUniqueId(), id -> new Random(SEED ^ id.hashCode()), Random.class);
  }

  @Override
  public void testFailed(ExtensionContext context, Throwable cause) {
    System.err.printf(
        "%s failed; reproduce: mvn test -Dtest=%s#%s -D%s=%s%n",
        context.getDisplayName(),
        context.getRequiredTestClass().getSimpleName(),
        context.getRequiredTestMethod().getName(),
        PROPERTY,
        Long.toHexString(SEED).toUpperCase(Locale.ROOT));
  }

  /** Lucene's runner reads the same property and may have been given a chain of seeds. */
  static long seed(String property) {
    if (property.isEmpty()) {
      return DEFAULT_SEED;
    }
    try {
      return Long.parseUnsignedLong(property.split(":")[0], 16);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          PROPERTY + " must be up to 16 hexadecimal digits, got '" + property + "'", e);
    }
  }
}

package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.Opcode;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.MethodHandleEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.lang.classfile.instruction.InvokeInstruction;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Do the compiled classes of a module use what they must not? Each ban says why, and what to use
 * instead.
 *
 * <p>Sources would show imports only; class files show every type, field and method used, however
 * it is written.
 */
public final class ClassFileRules {
  private static final Pattern TYPE_IN_DESCRIPTOR = Pattern.compile("L([\\w/$]+)[;<]");

  /** What a switch does with an ordinal: jump, or look the jump up. */
  private static final Set<Opcode> SWITCHES =
      Set.of(Opcode.TABLESWITCH, Opcode.LOOKUPSWITCH, Opcode.IALOAD);

  /** What to use where an operating system's locale or charset would decide. */
  private static final String NAMED = "the overload that names ";

  /**
   * A use that is forbidden.
   *
   * @param use matches {@code package/Type} or {@code package/Type.memberDescriptor}
   * @param except matches the names of classes that may
   */
  public record Ban(Pattern use, Pattern except, String reason, String instead) {
    /** Forbids a use in all classes. */
    public static Ban of(String use, String reason, String instead) {
      return new Ban(Pattern.compile(use), Pattern.compile("(?!)"), reason, instead);
    }

    /** Allows the use in some classes. */
    public Ban exceptIn(String classes) {
      return new Ban(use, Pattern.compile(classes), reason, instead);
    }
  }

  /** Vectors only behind the choice of kernels: the module may be missing at run time. */
  public static final Ban VECTORS_OUTSIDE_KERNELS =
      Ban.of(
              "jdk/incubator/.*",
              "a JVM without the vector module cannot load the class",
              "PqKernels")
          .exceptIn("io/pq32/quantization/Vector.*");

  /** What no product class does. */
  public static final List<Ban> PRODUCT =
      List.of(
          VECTORS_OUTSIDE_KERNELS,
          Ban.of(
              "java/lang/System\\.(out|err)Ljava/io/PrintStream;",
              "a library does not own the console",
              "System.Logger"),
          Ban.of(
              "java/lang/Math\\.random.*|java/util/concurrent/ThreadLocalRandom|"
                  + "java/util/Random\\.<init>\\(\\)V|java/util/SplittableRandom\\.<init>\\(\\)V",
              "the same input must write the same bytes",
              "a generator with a seed that is passed in"),
          Ban.of(
              "java/lang/String\\.(getBytes\\(\\)|<init>\\(\\[B(II)?\\)).*",
              "the charset is that of the machine",
              NAMED + "the charset"),
          Ban.of(
              "java/lang/String\\.(to(Lower|Upper)Case\\(\\)|formatted\\(|"
                  + "format\\(Ljava/lang/String;).*",
              "the locale is that of the machine",
              NAMED + "Locale.ROOT"),
          Ban.of(
              "java/io/(File|RandomAccessFile|Object(In|Out)putStream).*|java/nio/(file|channels)/.*",
              "no file outside the index is touched",
              "the Directory of the segment"),
          Ban.of(
              "(java|javax)/net/.*|java/rmi/.*|javax/naming/.*",
              "a library that searches has no business with a network",
              "what is passed in"),
          Ban.of(
              "java/lang/Process.*|java/lang/Runtime\\.(exec|load).*|"
                  + "java/lang/System\\.(load|exit|setProperty|setSecurityManager).*|"
                  + "java/lang/foreign/(Linker|SymbolLookup).*|sun/misc/.*|jdk/internal/.*",
              "nothing outside the JVM, or of the whole JVM, is ours",
              "Java"),
          Ban.of(
                  "java/lang/reflect/.*|java/lang/Class\\.(forName|get(Declared)?"
                      + "(Field|Method|Constructor)).*|"
                      + "java/lang/invoke/MethodHandles\\.privateLookupIn.*",
                  "what others have closed stays closed",
                  "a public method")
              .exceptIn("io/pq32/quantization/VectorPqKernels"), // copies itself for each width
          Ban.of(
              "java/lang/Thread\\.(<init>|setDaemon|ofPlatform|ofVirtual|startVirtualThread).*",
              "Elasticsearch grants no thread permissions to the plugin",
              "the executor that is passed in"));

  private final Path classes;
  private final List<Ban> bans = new ArrayList<>();

  private ClassFileRules(Path classes) {
    this.classes = classes;
  }

  /** Rules for all classes that were compiled together with {@code example}. */
  public static ClassFileRules forModuleOf(Class<?> example) throws URISyntaxException {
    return new ClassFileRules(
        Path.of(example.getProtectionDomain().getCodeSource().getLocation().toURI()));
  }

  /** Adds bans. */
  public ClassFileRules ban(Ban... more) {
    bans.addAll(Arrays.asList(more));
    return this;
  }

  /** Adds bans. */
  public ClassFileRules ban(List<Ban> more) {
    bans.addAll(more);
    return this;
  }

  /** Fails with one line for each forbidden use. */
  public void assertKept() throws IOException {
    List<Path> files;
    try (Stream<Path> paths = Files.walk(classes)) {
      files = paths.filter(path -> path.toString().endsWith(".class")).sorted().toList();
    }
    assertFalse(files.isEmpty(), "no class files in " + classes);
    List<String> violations = new ArrayList<>();
    for (Path file : files) {
      violations.addAll(violations(ClassFile.of().parse(file), bans));
    }
    assertEquals("", String.join("\n", violations), "forbidden uses");
  }

  static List<String> violations(ClassModel model, List<Ban> bans) {
    String name = model.thisClass().asInternalName();
    List<String> violations = new ArrayList<>();
    for (String use : uses(model)) {
      for (Ban ban : bans) {
        if (ban.use.matcher(use).matches() && !ban.except.matcher(name).matches()) {
          violations.add(name + " uses " + use + ": " + ban.reason + "; use " + ban.instead);
        }
      }
    }
    return violations;
  }

  private static Set<String> uses(ClassModel model) {
    Set<String> uses = new TreeSet<>();
    for (PoolEntry entry : model.constantPool()) {
      switch (entry) {
        case ClassEntry type -> uses.add(type.asInternalName());
        case MemberRefEntry member when !isOrdinal(member) -> uses.add(describe(member));
        case MethodHandleEntry handle when isOrdinal(handle.reference()) ->
            uses.add(describe(handle.reference()));
        case Utf8Entry text ->
            TYPE_IN_DESCRIPTOR
                .matcher(text.stringValue())
                .results()
                .map((MatchResult type) -> type.group(1))
                .forEach(uses::add);
        default -> {}
      }
    }
    addOrdinals(model, uses);
    return uses;
  }

  private static String describe(MemberRefEntry member) {
    return member.owner().asInternalName()
        + "."
        + member.name().stringValue()
        + member.type().stringValue();
  }

  private static boolean isOrdinal(MemberRefEntry member) {
    return member.name().equalsString("ordinal") && member.type().equalsString("()I");
  }

  /**
   * Adds the calls of {@code ordinal()} that are not a switch's, which looks its cases up by it.
   */
  private static void addOrdinals(ClassModel model, Set<String> uses) {
    if (model.fields().stream()
        .anyMatch(field -> field.fieldName().stringValue().startsWith("$SwitchMap$"))) {
      return;
    }
    for (var method : model.methods()) {
      Instruction previous = null;
      for (CodeElement element : method.code().map(code -> code.elementList()).orElse(List.of())) {
        if (element instanceof Instruction instruction) {
          if (previous instanceof InvokeInstruction call
              && isOrdinal(call.method())
              && !SWITCHES.contains(instruction.opcode())) {
            uses.add(describe(call.method()));
          }
          previous = instruction;
        }
      }
    }
  }
}

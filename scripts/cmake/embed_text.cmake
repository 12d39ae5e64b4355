# Writes OUTPUT, C++ source with the text of INPUT as the constant std::string_view VARIABLE.
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}" "#include <string_view>
namespace mnist {
extern const std::string_view ${VARIABLE};
const std::string_view ${VARIABLE} = R\"embedded(${text})embedded\";
}
")
